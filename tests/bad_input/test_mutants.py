"""Files with something wrong at random, and what the readers of this project make of them.

`MUTANTS=1000 pytest -s tests/bad_input/test_mutants.py -k idx` reads a thousand times as many: a million of that kind.
"""

import gzip
import io
import os
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from kedro.io import DatasetError
from PIL import Image

from mnist_lstm.core.data import idx
from mnist_lstm.core.inference.decode import PictureError, decode
from mnist_lstm.core.model.export import ExportedModel, ImageClassifier
from mnist_lstm.core.training.checkpoint import from_bytes, to_bytes, weights_digest
from mnist_lstm.datasets.checkpoints import ExportedModelDataset
from mnist_lstm.errors import UserError, cause_for_user
from tests.support import tiny
from tests.support.idx import encode
from tests.support.picture_files import file_of

EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
SLOWEST = 0.05  # seconds of the processor for one IDX file
MOST = 200 * 2**20  # bytes


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """The content with one to four changes: bits, bytes, numbers, or pieces lost, doubled, moved or cut off."""
    changed = bytearray(content)
    for _ in range(random.integers(1, 5)):
        start, length = int(random.integers(0, len(changed) + 1)), int(random.integers(1, 17))
        piece = changed[start : start + length]
        match int(random.integers(0, 8)):
            case 0 | 1 if piece:
                changed[start] ^= 1 << int(random.integers(0, 8))
            case 2:
                changed[start : start + length] = random.bytes(len(piece))
            case 3:
                number = EXTREMES[int(random.integers(0, len(EXTREMES)))]
                order = ("big", "little")[int(random.integers(0, 2))]
                changed[start : start + 4] = number.to_bytes(4, order)  # type: ignore[arg-type]
            case 4:
                del changed[start : start + length]
            case 5:
                changed[start:start] = piece * int(random.integers(1, 4))
            case 6:
                place = int(random.integers(0, len(changed) + 1))
                changed[place : place + len(piece)] = piece
            case _:
                del changed[start if random.integers(0, 4) == 0 else len(changed) :]
    return bytes(changed)


def idx_seeds() -> list[bytes]:
    """Images and labels, plain and gzipped."""
    packed = [encode(tiny.images(3)), encode(tiny.labels(40)), encode(tiny.images(200))]
    return packed + [gzip.decompress(each) for each in packed]


def read_idx(content: bytes, whole: bytes) -> None:
    """Reads it both ways; what is accepted holds what its header declares."""
    parts = idx.images_in(io.BytesIO(content), "it", 7)
    try:
        images = [part for part in parts if part.ndim == 3]
    except UserError:
        images = None
    array = idx.decode(content, "it")
    assert array.dtype == np.uint8
    if array.ndim == 3 and array.size and images is not None:
        np.testing.assert_array_equal(np.concatenate(images), array)


def read_checkpoint(content: bytes, whole: bytes) -> None:
    """What is accepted is the checkpoint that was saved, to the bit."""
    assert to_bytes(from_bytes(content, "it")) == whole


def exported_seeds() -> list[bytes]:
    """A pt2 file of the tiny network."""
    checkpoint = tiny.checkpoint()
    classifier = ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order())
    return [ExportedModelDataset(filepath="it.pt2").encode(ExportedModel(classifier, tiny.images(2)))]


def read_exported(content: bytes, whole: bytes) -> None:
    """What is accepted has the weights that were saved, and answers as the model that was saved."""
    found, saved = exported_in(content), exported_in(whole)
    assert weights_digest(found.state_dict()) == weights_digest(saved.state_dict())
    images = torch.from_numpy(tiny.images(2))
    assert torch.equal(found(images), saved(images))


def exported_in(content: bytes) -> torch.nn.Module:
    """The model in a pt2 file."""
    with tempfile.NamedTemporaryFile(suffix=".pt2") as file:
        Path(file.name).write_bytes(content)
        try:
            return ExportedModelDataset(filepath=file.name).load()  # type: ignore[no-any-return]
        except DatasetError as error:
            raise cause_for_user(error) or error from None


def picture_seeds() -> list[bytes]:
    """A small picture in each format, grey and coloured."""
    picture = Image.fromarray(tiny.images(2)[0].repeat(4, 0).repeat(5, 1))
    return [file_of(picture.convert(mode), kind) for mode in ("L", "RGB") for kind in FORMATS]


def read_picture(content: bytes, whole: bytes) -> None:
    """Reads it as a picture to answer on, and as one to train on."""
    with suppress(PictureError):
        assert decode(content).dtype == np.uint8
    assert decode(content, paper=255).dtype == np.uint8


KINDS: dict[str, tuple[int, Callable[[], list[bytes]], Callable[[bytes, bytes], None]]] = {
    "idx": (1_000, idx_seeds, read_idx),
    "checkpoint": (150, lambda: [to_bytes(tiny.checkpoint())], read_checkpoint),
    "exported": (100, exported_seeds, read_exported),
    "picture": (100, picture_seeds, read_picture),
}


def peak() -> int:
    """The most memory that the process had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.filterwarnings("ignore")  # torch's and Pillow's, of what the mutants hold
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_damaged_file_nothing_but_the_readers_own_error_escapes(kind: str) -> None:
    count, seeds_of, read = KINDS[kind]
    count, seeds, random = count * int(os.environ.get("MUTANTS", "1")), seeds_of(), np.random.default_rng(0)
    refused, slowest, before = 0, 0.0, peak()
    for number in range(count):
        whole = seeds[number % len(seeds)]
        content = mutated(whole, random)
        started = time.process_time()
        try:
            read(content, whole)
        except UserError:
            refused += 1
        slowest = max(slowest, time.process_time() - started)
    grown = peak() - before
    print(f"{count} mutants, {refused} refused, slowest {slowest:.4f} s, {grown} bytes more")  # noqa: T201
    assert refused > count / 2
    assert grown < MOST
    assert kind != "idx" or slowest < SLOWEST
