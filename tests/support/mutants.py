"""Files with something wrong at random, and what the readers of this project make of them.

`python -m tests.support.mutants --idx 1000000` reads a million; bad_input/test_mutants.py reads as many of each kind as
`make test` has time for. The same seed gives the same mutants.
"""

import argparse
import io
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from kedro.io import DatasetError
from PIL import Image

from mnist_lstm.core.data import idx
from mnist_lstm.core.inference.decode import PictureError, decode
from mnist_lstm.core.model.export import ImageClassifier
from mnist_lstm.core.training.checkpoint import from_bytes, to_bytes, weights_digest
from mnist_lstm.datasets.checkpoints import ExportedModelDataset
from mnist_lstm.errors import UserError, cause_for_user
from tests.support import tiny
from tests.support.idx import encode
from tests.support.picture_files import file_of

EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")


class Found(NamedTuple):
    """What came of so many mutants.

    Attributes:
        mutants, refused: how many were read, and how many of them were refused by the reader's own error.
        seconds: of the processor, that the slowest took.
        bytes: by which the memory of the process grew at most.
    """

    mutants: int
    refused: int
    seconds: float
    bytes: int


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


def tried(seeds: list[bytes], count: int, read: Callable[[bytes, bytes], None], seed: int = 0) -> Found:
    """Reads so many mutants of the seeds in turn; `read` is given the seed too, and may raise UserError alone."""
    random, refused, slowest, before = np.random.default_rng(seed), 0, 0.0, peak()
    for number in range(count):
        whole = seeds[number % len(seeds)]
        content = mutated(whole, random)
        started = time.process_time()
        try:
            read(content, whole)
        except UserError:
            refused += 1
        slowest = max(slowest, time.process_time() - started)
    return Found(count, refused, slowest, peak() - before)


def peak() -> int:
    """The most memory that the process had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def idx_seeds() -> list[bytes]:
    """Images and labels, plain and gzipped."""
    import gzip

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
    found, saved = from_bytes(content, "it"), from_bytes(whole, "it")
    assert weights_digest(found.weights) == weights_digest(saved.weights)
    for field in ("model", "sequence", "data", "fingerprint_fields"):
        assert getattr(found, field) == getattr(saved, field)


def exported_seed() -> bytes:
    """A pt2 file of the tiny network."""
    checkpoint = tiny.checkpoint()
    classifier = ImageClassifier(checkpoint.classifier(), checkpoint.pixel_order()).eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(classifier, (torch.from_numpy(tiny.images(2)),))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()


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


KINDS: dict[str, tuple[Callable[[], list[bytes]], Callable[[bytes, bytes], None]]] = {
    "idx": (idx_seeds, read_idx),
    "checkpoint": (lambda: [to_bytes(tiny.checkpoint())], read_checkpoint),
    "exported": (lambda: [exported_seed()], read_exported),
    "picture": (picture_seeds, read_picture),
}


def of(kind: str, count: int, seed: int = 0) -> Found:
    """Reads so many mutants of a kind of file."""
    seeds, read = KINDS[kind]
    return tried(seeds(), count, read, seed)


def main() -> Iterator[str]:
    """Tells what came of the mutants that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=0)
    asked: dict[str, Any] = vars(parser.parse_args())
    for kind in KINDS:
        if asked[kind]:
            found = of(kind, asked[kind], asked["seed"])
            yield (
                f"{kind}: {found.mutants} mutants, {found.refused} refused, none escaped; the slowest took "
                f"{found.seconds * 1000:.0f} ms, memory grew by {found.bytes / 2**20:.0f} MiB at most"
            )


if __name__ == "__main__":
    for line in main():
        print(line)  # noqa: T201
