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
ENTRY = {"title": "Leaves", "dark_on_light": False, "validation_fraction": 0.25, "test_fraction": 0.25}
WORDS = ("run", "--params", "data.name=leaves")


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def leaves(change: Callable[[Path], object], **entry: object) -> Callable[[Project], None]:
    """A source of two classes with eight pictures each, in which something is changed."""

    def given(project: Project) -> None:
        folder = project.path / "data/01_raw/leaves"
        for name in ("ash", "oak"):
            (folder / name).mkdir(parents=True)
            for number in range(8):
                (folder / name / f"{number}.png").write_bytes(file(Image.fromarray(PIXELS)))
        change(folder)
        sources(folders={"leaves": {**ENTRY, **entry}})(project)

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
    "cut short": (file(RIGHT)[:50], "complete picture"),
    "a JPEG cut short": (file(Image.effect_noise((64, 64), 60), "JPEG")[:900], "complete picture"),
    "with a wrong byte": (file(RIGHT)[:50] + b"?" + file(RIGHT)[51:], "complete picture"),
    "an animation": (
        file(RIGHT, "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 9)]),
        "2 pictures in one file",
    ),
    "of too many pixels": (file(Image.new("1", (10001, 10000))), "100000000 pixels"),
    "of another size": (file(Image.new("L", (9, 8))), "(8, 9)"),
}


def same(folder: Path) -> None:
    """Changes nothing."""


def with_subfolder(folder: Path) -> None:
    (folder / "ash" / "sub").mkdir()


def with_dead_link(folder: Path) -> None:
    (folder / "ash" / "away.png").symlink_to("nowhere")


def with_one_left(folder: Path) -> None:
    for path in (folder / "ash").glob("[1-7].png"):
        path.unlink()


FOLDERS: dict[str, tuple[tuple[str, ...], Change]] = {
    "no folder of the source": (("01_raw/leaves", "must be a folder"), leaves(gone)),
    "a class without pictures": (("leaves/ash", "found none"), leaves(emptied)),
    "a single class": (("leaves", "2 to 256"), leaves(single)),
    "a folder among the pictures": (("leaves/ash", "sub"), leaves(with_subfolder)),
    "a picture that leads nowhere": (("leaves/ash", "away.png"), leaves(with_dead_link)),
    "too few pictures for a split": (("leaves", "images enough"), leaves(with_one_left)),
    "a fraction above one": (("'leaves.test_fraction'", "1.5"), leaves(same, test_fraction=1.5)),
    "no test pictures": (("leaves", "test_fraction"), leaves(same, test_fraction=None)),
    "a mistyped key": (("'leaves.dark_on_lite'",), leaves(same, dark_on_lite=True)),
    "a source of the name of another": (("mnist", "twice"), sources(folders={"mnist": ENTRY})),
}
ELSEWHERE = ("run", "--params", "data.name=leaves,data.mirror=http://127.0.0.1:9")

PICTURES = each(
    {
        f"one picture is {what}": Mistake(("leaves/ash/3.png", found), WORDS, leaves(one_is(content)))
        for what, (content, found) in CONTENTS.items()
    }
    | {what: Mistake(told, WORDS, change) for what, (told, change) in FOLDERS.items()}
    | {"a mirror on another machine": Mistake(("'data.mirror'", "http://127.0.0.1:9"), ELSEWHERE, leaves(same))},
    images,
)
