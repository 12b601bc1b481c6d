import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.core.inference.decode import decode
from mnist_lstm.errors import UserError
from tests.datasets.forms.conftest import Read

CLASSES = ["Oak leaf", "ash", "birch"]  # in the order of their names
ALL = [10 * number + label for number in range(8) for label in range(3)]  # greys of a full folder
HALF = "37.5/12.5/50"  # every class has 3, 1 and 4 of 8 pictures
Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """A function that fills a folder of the source with pictures of 4 x 5, each of one grey that tells which it is."""

    def fill(below: str = "", count: int = 8, first: int = 0) -> Path:
        for label, name in enumerate(CLASSES):
            folder = tmp_path / "leaves" / below / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.new("L", (5, 4), first + 10 * number + label).save(folder / f"{number}.png")
        return tmp_path / "leaves"

    return fill


def greys(part: ImageSplit) -> list[int]:
    return part.images[:, 0, 0].tolist()  # type: ignore[no-any-return]


def test_folders_named_train_and_test_keep_their_pictures_apart_and_classes_are_called_as_theirs(
    fill: Fill, read: Read
) -> None:
    fill("train")
    splits = read(fill("test", count=3, first=100), split="75/25/0")
    assert splits.card.images == {"train": 18, "valid": 6, "test": 9}
    assert sorted(greys(splits.train) + greys(splits.valid)) == ALL
    assert greys(splits.test) == [100, 101, 102, 110, 111, 112, 120, 121, 122]
    assert splits.test.images.shape == (9, 4, 5)
    assert (splits.card.class_names, splits.card.name, splits.card.title) == (CLASSES, "leaves", "leaves")
    for part in splits[:3]:
        assert [grey % 10 for grey in greys(part)] == part.labels.tolist()


def test_classes_that_are_numbers_have_the_order_of_their_values_in_every_locale(fill: Fill, read: Read) -> None:
    folder, three = fill(), "\u0663"  # an Arabic digit
    for old, new in zip(CLASSES, ("10", three, "many"), strict=True):
        (folder / old).rename(folder / new)
    splits = read(folder, split=HALF)
    assert splits.card.class_names == [three, "10", "many"]
    assert [[1, 0, 2][label] for label in splits.test.labels] == [grey % 10 for grey in greys(splits.test)]
    program = f"""
from pathlib import Path
from mnist_lstm.datasets.forms import folders
from tests.support.projects import data_parameters
print(ascii(folders.read(Path({str(folder)!r}), data_parameters()).class_names))
"""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | ascii_only, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{dict(enumerate(splits.card.class_names))!a}\n"), done.stderr


def test_one_folder_is_split_with_every_class_in_its_share_by_its_seed_alone(fill: Fill, read: Read) -> None:
    folder = fill()
    splits, same, other = (read(folder, split=HALF, split_seed=seed) for seed in (1, 1, 2))
    for part, each in zip(splits[:3], (3, 1, 4), strict=True):
        assert np.bincount(part.labels).tolist() == [each] * 3
    assert sorted(grey for part in splits[:3] for grey in greys(part)) == ALL
    assert greys(splits.test) == greys(same.test) != greys(other.test)


def test_pictures_of_other_sizes_are_stretched_to_the_one_that_the_catalog_names(
    tmp_path: Path, fill: Fill, read: Read
) -> None:
    Image.new("L", (9, 9), 7).save(fill() / "ash" / "large.png")
    assert read(tmp_path / "leaves", split=HALF, size="6x8").test.images.shape[1:] == (6, 8)
    with pytest.raises(UserError, match=r"ash/large\.png must have the size .* \(4, 5\), found \(9, 9\)"):
        read(tmp_path / "leaves", split=HALF)


def upside_down() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 3
    return exif


GREYS = np.random.default_rng(0).integers(0, 256, (4, 5), np.uint8)
FILES_OF_ONE_PICTURE: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "8 bits": (GREYS, "png", {}),
    "12 bits in 16": (GREYS.astype(np.uint16) * 16, "png", {}),
    "16 bits": (GREYS.astype(np.uint16) * 257, "tiff", {}),
    "floats": (GREYS.astype(np.float32), "tiff", {}),
    "a palette": (Image.fromarray(GREYS).convert("P"), "gif", {}),
    "four inks": (Image.fromarray(GREYS).convert("CMYK"), "tiff", {}),
    "opaque": (Image.fromarray(GREYS).convert("LA"), "png", {}),
    "a turned photo": (GREYS[::-1, ::-1].copy(), "png", {"exif": upside_down()}),
}


@pytest.mark.parametrize("dark_on_light", [False, True])
@pytest.mark.parametrize("kind", FILES_OF_ONE_PICTURE)
def test_pictures_to_train_on_are_read_as_those_to_answer_for(
    tmp_path: Path, fill: Fill, kind: str, dark_on_light: bool, read: Read
) -> None:
    picture, suffix, options = FILES_OF_ONE_PICTURE[kind]
    path = fill("train") / "test" / "ash" / f"one.{suffix}"
    fill("test")
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    picture.save(path, **options)
    test = read(tmp_path / "leaves", split="75/25/0", dark_on_light=dark_on_light).test
    (found,) = (image for image in test.images if len(np.unique(image)) > 1)
    seen = decode(path.read_bytes())
    np.testing.assert_array_equal(found, 255 - seen if dark_on_light else seen)
    levels = GREYS if kind in ("8 bits", "a palette", "four inks", "opaque", "a turned photo") else stretched(GREYS)
    np.testing.assert_allclose(seen.astype(int), levels, atol=1)


def stretched(values: Any) -> Any:
    return np.rint((values - float(values.min())) * (255 / (float(values.max()) - values.min())))


@pytest.mark.parametrize("dark_on_light", [False, True])
def test_what_is_transparent_in_a_picture_is_its_paper(
    tmp_path: Path, fill: Fill, dark_on_light: bool, read: Read
) -> None:
    folder = fill("train")
    fill("test")
    Image.new("LA", (5, 4), (90, 0)).save(folder / "test" / "ash" / "empty.png")
    images = read(tmp_path / "leaves", split="75/25/0", dark_on_light=dark_on_light).test.images
    assert sum(not image.any() for image in images) == 1 + (not dark_on_light)  # and the picture that is all 0


def test_hidden_files_and_files_beside_the_classes_are_not_read(tmp_path: Path, fill: Fill, read: Read) -> None:
    folder = fill()
    thumbnails = folder / "@eaDir" / "SYNO.png", folder / "ash" / "@eaDir" / "0.png" / "SYNO.png"
    for path in (folder / "LICENSE", folder / ".hidden" / "x", folder / "ash" / ".DS_Store", *thumbnails):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("no picture")
    assert sum(read(tmp_path / "leaves", split=HALF).card.images.values()) == 24


def test_the_card_knows_the_pictures_by_one_digest(tmp_path: Path, fill: Fill, read: Read) -> None:
    folder = fill()
    before, same = (read(tmp_path / "leaves", split=HALF).card.files for _ in range(2))
    (folder / "ash" / "0.png").rename(folder / "ash" / "00.png")
    after = read(tmp_path / "leaves", split=HALF).card.files
    assert list(before) == ["24 pictures"]
    assert before == same != after


@pytest.mark.parametrize(
    ("spoil", "expected_error"),
    [
        (
            lambda folder: (folder / "ash" / "bad.png").write_bytes(b"no picture"),
            r"found 1 that are not: .*ash/bad\.png \(no picture that can be read",
        ),
        (lambda folder: (folder / "ash" / "deeper").mkdir(), "ash must hold pictures alone, found the folder deeper"),
        (lambda folder: os.mkdir(os.fsencode(folder) + b"/\xe9l"), r"names are UTF-8, found b'\\xe9l'; rename it"),
        (
            lambda folder: (folder / "ash" / "away.png").symlink_to("nowhere"),
            "ash must hold pictures alone, found the dead link away.png",
        ),
        (lambda folder: (folder / "elm").mkdir(), "elm must hold pictures, found none"),
        (lambda folder: folder.rename(folder.parent / "away"), "'data.path' must be a file or a folder, found none"),
        (lambda folder: [(folder / name).rename(folder / f".{name}") for name in CLASSES[1:]], "2 to 256 folders"),
        (lambda folder: [(folder / "ash" / f"{n}.png").unlink() for n in range(1, 8)], "images enough"),
    ],
    ids=[*("unreadable", "deeper", "not UTF-8", "a link"), *("empty class", "no folder", "one class", "one picture")],
)
def test_a_folder_that_does_not_serve_is_told_in_one_line(
    tmp_path: Path, fill: Fill, spoil: Callable[[Path], Any], expected_error: str, read: Read
) -> None:
    spoil(fill())
    with pytest.raises(UserError, match=expected_error) as raised:
        read(tmp_path / "leaves", split=HALF)
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_a_class_has_one_name_however_its_accents_are_written(tmp_path: Path, fill: Fill, read: Read) -> None:
    """macOS may write a letter and its accent where others have one letter, which would also be sorted otherwise."""
    for split, name in (("train", "\u00e9rable"), ("test", "e\u0301rable")):
        (fill(split) / split / "ash").rename(tmp_path / "leaves" / split / name)
    found = read(tmp_path / "leaves")
    assert found.card.class_names == ["Oak leaf", "birch", "\u00e9rable"]
    for part in (found.train, found.test):
        shown = zip(greys(part), part.labels.tolist(), strict=True)
        assert {grey % 10: label for grey, label in shown} == {0: 0, 2: 1, 1: 2}
    test = tmp_path / "leaves" / "test"
    shutil.copytree(test / "e\u0301rable", test / "\u00e9rable")
    with pytest.raises(UserError, match="found two of one name"):
        read(tmp_path / "leaves")


def test_train_and_test_must_have_the_same_classes(tmp_path: Path, fill: Fill, read: Read) -> None:
    fill("train")
    (fill("test") / "test" / "ash").rename(tmp_path / "leaves" / "test" / "elm")
    with pytest.raises(UserError, match=r"the same classes in train and test"):
        read(tmp_path / "leaves")
