"""Data sets of four IDX files with the right checksums, and something wrong inside."""

import gzip
import hashlib
import struct

import numpy as np

from mnist_lstm.core.data import idx
from mnist_lstm.datasets.image_sources import FILES
from tests.bad_input import Change, Mistake, each, sources, write
from tests.bad_input.functions import images
from tests.support.projects import CLOSED, Project

ARRAYS = {
    "train_images": np.arange(200, dtype=np.uint8).reshape(10, 4, 5),
    "train_labels": np.arange(10, dtype=np.uint8) % 3,
    "test_images": np.arange(120, dtype=np.uint8).reshape(6, 4, 5),
    "test_labels": np.arange(6, dtype=np.uint8) % 3,
}
SHAPES = "data.name=shapes"


def packed(*shape: int, values: int = 0, start: bytes = b"\0\0\x08") -> bytes:
    """A gzipped IDX file with a header that says so, whatever it holds."""
    return gzip.compress(start + struct.pack(f">B{len(shape)}I", len(shape), *shape) + bytes(values), mtime=0)


def shapes(**files: bytes | None) -> Change:
    """A source "shapes" whose files are right except for those that are given; None: the file is not there."""

    def given(project: Project) -> None:
        contents = {key: idx.encode(array) for key, array in ARRAYS.items()} | files
        for key, content in contents.items():
            if content is not None:
                write(f"data/01_raw/shapes/{FILES[key]}", content)(project)
        entry = {
            "title": "Shapes",
            "mirrors": [],
            "class_names": ["circle", "square", "star"],
            "validation_images": 3,
            "files": {
                key: {"checksum": f"sha256:{hashlib.sha256(content or b'').hexdigest()}"}
                for key, content in contents.items()
            },
        }
        sources(idx={"shapes": entry})(project)

    return given


def idx_mistake(key: str, content: bytes | None, *names: str) -> Mistake:
    words = ("run", "--params", f"{SHAPES},data.on_unreachable=fail")
    return Mistake(names, words, shapes(**{key: content}))


IMAGES, LABELS = FILES["train_images"], FILES["train_labels"]
TEST_IMAGES, TEST_LABELS = FILES["test_images"], FILES["test_labels"]
RIGHT = idx.encode(ARRAYS["train_images"])
_IDX: dict[str, Mistake] = {
    "images with wrong first bytes": idx_mistake(
        "train_images", packed(10, 4, 5, values=200, start=b"\0\1\x08"), IMAGES, "00 01 08 03", "anew"
    ),
    "images in two dimensions": idx_mistake("train_images", packed(10, 20, values=200), IMAGES, "00 00 08 02"),
    "images of five channels": idx_mistake("train_images", packed(10, 2, 2, 5, values=200), "shapes", "(10, 2, 2, 5)"),
    "fewer images than declared": idx_mistake("train_images", packed(11, 4, 5, values=200), IMAGES, "20 bytes early"),
    "more images than declared": idx_mistake("train_images", packed(9, 4, 5, values=200), IMAGES, "more bytes"),
    "a size beyond belief": idx_mistake("train_images", packed(2**31, 28, 28), IMAGES, "2147483648", "damaged"),
    "a size beyond 64 bits": idx_mistake("train_images", packed(*[2**32 - 1] * 3), IMAGES, "4294967295", "damaged"),
    "a gigabyte declared, none there": idx_mistake("train_images", packed(2**20, 28, 28), IMAGES, "bytes early"),
    "a bomb": idx_mistake("train_images", gzip.compress(bytes(2**24), 1), IMAGES, "00 00 00 00"),
    "a bomb behind the images": idx_mistake("train_images", packed(10, 4, 5, values=2**24), IMAGES, "more bytes"),
    "gzip cut short": idx_mistake("train_images", RIGHT[:-9], IMAGES, "early"),
    "gzip without its checksum": idx_mistake("train_images", RIGHT[:-8], IMAGES, "cut short"),
    "gzip with a wrong checksum": idx_mistake("train_images", RIGHT[:-8] + bytes(8), IMAGES, "complete gzip"),
    "gzip with more behind it": idx_mistake("train_images", RIGHT + b"more", IMAGES, "more bytes"),
    "gzip twice": idx_mistake("train_images", gzip.compress(RIGHT), IMAGES, "1f 8b"),
    "an empty file": idx_mistake("train_images", b"", IMAGES, "early"),
    "a web page": idx_mistake("train_images", b"<html>Log in first</html>", IMAGES, "3c 68 74 6d"),
    "images of an unknown type": idx_mistake(
        "train_images", packed(10, 4, 5, values=800, start=b"\0\0\x0a"), IMAGES, "00 00 0a 03"
    ),
    "images of no pixels": idx_mistake("train_images", packed(10, 0, 5), "shapes", "no images"),
    "no images": idx_mistake("train_images", packed(0, 4, 5), "shapes", "0 images and 10 labels"),
    "no images and no labels": Mistake(
        ("shapes", "no images"),
        ("run", "--params", SHAPES),
        shapes(train_images=packed(0, 4, 5), train_labels=packed(0)),
    ),
    "images without labels": idx_mistake("train_labels", None, LABELS, "Put the file into", "data/01_raw/shapes"),
    "a label too few": idx_mistake("train_labels", idx.encode(ARRAYS["train_labels"][1:]), "shapes", "9 labels"),
    "a label too many": idx_mistake("test_labels", packed(7, values=7), "shapes", "6 images and 7 labels"),
    "a label above the classes": idx_mistake(
        "test_labels", idx.encode(np.full(6, 9, np.uint8)), "shapes", "labels from 0 to 2, found 9"
    ),
    "labels for images": idx_mistake("test_images", idx.encode(ARRAYS["test_labels"]), TEST_IMAGES, "00 00 08 01"),
    "images for labels": idx_mistake("test_labels", idx.encode(ARRAYS["test_images"]), TEST_LABELS, "00 00 08 03"),
    "test images of another size": idx_mistake(
        "test_images", idx.encode(np.arange(150, dtype=np.uint8).reshape(6, 5, 5)), "shapes", "(4, 5)", "(5, 5)"
    ),
    "all images for validation": idx_mistake("train_images", packed(3, 4, 5, values=60), "shapes", "3 images"),
    "a downloaded file of the wrong size": Mistake(
        (IMAGES, "9912422 bytes", "delete it"), change=write(f"data/01_raw/mnist/{IMAGES}", gzip.compress(b"hello"))
    ),
    "a downloaded file with a wrong checksum": Mistake(
        (IMAGES, "sha256", "delete it"), change=write(f"data/01_raw/mnist/{IMAGES}", bytes(9912422))
    ),
    "no mirror answers and the run must not go on": Mistake(
        (IMAGES, CLOSED, "Put the file into", "data/01_raw/mnist"),
        ("run", "--params", "data.on_unreachable=fail"),
        lambda project: project.set_mirrors(CLOSED),
    ),
    "a mirror of another world": Mistake(
        (IMAGES, "gopher://127.0.0.1"),
        ("run", "--params", "data.on_unreachable=fail,data.mirror=gopher://127.0.0.1/"),
        lambda project: project.set_mirrors(),
    ),
}
IDX = each(_IDX, images)
