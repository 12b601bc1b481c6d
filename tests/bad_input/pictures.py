"""Folders of pictures to train on that are not what they should be."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.bad_input import Change, Mistake, each, sources
from tests.bad_input.functions import images
from tests.support.projects import Project

PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)
LEAVES = "data.path=data/01_raw/leaves,data.dark_on_light=false,data.split=56/19/25"
WORDS = ("run", "--params", LEAVES)


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def leaves(change: Callable[[Path], object]) -> Callable[[Project], None]:
    """A folder of two classes with eight pictures each, in which something is changed."""

    def given(project: Project) -> None:
        folder = project.path / "data/01_raw/leaves"
        for name in ("ash", "oak"):
            (folder / name).mkdir(parents=True)
            for number in range(8):
                (folder / name / f"{number}.png").write_bytes(file(Image.fromarray(PIXELS)))
        change(folder)

    return given


def one_is(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "ash" / "3.png").write_bytes(content)


def emptied(folder: Path) -> None:
    for path in (folder / "ash").iterdir():
        path.unlink()


def gone(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def single(folder: Path) -> None:
    (folder / "ash").rename(folder / ".ash")


RIGHT = Image.fromarray(PIXELS)
CONTENTS = {
    "an empty file": (b"", "no picture that can be read"),
    "a text": (b"oak", "no picture that can be read"),
    "a web page": (b"<html></html>", "no picture that can be read"),
    "cut short": (file(RIGHT)[:50], "complete pictures"),
    "a JPEG cut short": (file(Image.effect_noise((64, 64), 60), "JPEG")[:900], "complete pictures"),
    "with a wrong byte": (file(RIGHT)[:50] + b"?" + file(RIGHT)[51:], "complete pictures"),
    "an animation": (
        file(RIGHT, "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 9)]),
        "2 pictures in one file",
    ),
    "of too many pixels": (file(Image.new("1", (10001, 10000))), "100000000 pixels"),
    "of another size": (file(Image.new("L", (9, 8))), "(8, 9)"),
}


def with_subfolder(folder: Path) -> None:
    (folder / "ash" / "sub").mkdir()


def with_dead_link(folder: Path) -> None:
    (folder / "ash" / "away.png").symlink_to("nowhere")


def with_one_left(folder: Path) -> None:
    for path in (folder / "ash").glob("[1-7].png"):
        path.unlink()


FOLDERS: dict[str, tuple[tuple[str, ...], Change]] = {
    "no folder": (("'data.path'", "01_raw/leaves", "found none"), leaves(gone)),
    "a class without pictures": (("leaves/ash", "found none"), leaves(emptied)),
    "a single class": (("leaves", "2 to 256"), leaves(single)),
    "a folder among the pictures": (("leaves/ash", "sub"), leaves(with_subfolder)),
    "a picture that leads nowhere": (("leaves/ash", "away.png"), leaves(with_dead_link)),
    "too few pictures for a split": (("leaves", "images enough"), leaves(with_one_left)),
    "pictures in the catalog, as version 0.1 had them": (
        ("data.path", "found leaves", "docs/your-own-data.md"),
        sources(folders={"leaves": {"title": "Leaves"}}),
    ),
}

PICTURES = each(
    {
        f"one picture is {what}": Mistake(("leaves/ash/3.png", found), WORDS, leaves(one_is(content)))
        for what, (content, found) in CONTENTS.items()
    }
    | {what: Mistake(names, WORDS, change) for what, (names, change) in FOLDERS.items()},
    images,
)
