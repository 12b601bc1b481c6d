"""The program that trains: with the same parameters and data, another one may give other bits."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch

from mnist_lstm.core.training.instructions import onednn_instructions

PACKAGE = Path(__file__).parents[2]
# Whose code decides weights and curves
ROOMS = tuple(f"core/{room}" for room in ("data", "kernel", "model", "evaluation", "training"))
ROOMS += ("pipelines/reshape", "pipelines/train", "cluster")
SOURCE = (".c", ".py")
CONTINUES = "continues"  # key of the program that began the training, if that is another one


@cache  # as this process imported it
def program(portable: bool = False) -> dict[str, Any]:
    """The digest of the source that trains and torch's version, and what else decides bits if they are not portable.

    That are the instructions of ATen and oneDNN.
    """
    if not portable:
        instructions = {"ATen": torch.backends.cpu.get_cpu_capability(), "oneDNN": onednn_instructions()}
        return program(portable=True) | instructions
    sha = hashlib.sha256()
    for path in sources():
        sha.update(f"{path.relative_to(PACKAGE).as_posix()} {path.stat().st_size}\n".encode())
        sha.update(path.read_bytes())
    return {"source": sha.hexdigest(), "torch": str(torch.__version__)}


def sources() -> list[Path]:
    """The files of the source that trains."""
    return sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*") if path.suffix in SOURCE)


def is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two programs are the same, whatever began the trainings that they continue."""
    return one | {CONTINUES: None} == other | {CONTINUES: None}


def program_continuing(before: dict[str, Any] | None, portable: bool = False) -> dict[str, Any]:
    """The program of this process, with the one that trained `before` it if that is another.

    Args:
        before: of the checkpoint that is continued; empty if an older version wrote it; None at the beginning.
        portable: whether the training is.
    """
    now = program(portable)
    if before is None or is_same(before, now):
        return before or now
    return now | {CONTINUES: before}
