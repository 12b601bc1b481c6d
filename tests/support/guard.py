"""Counts and refuses the connections of a process to other machines, and a pickle that must not be loaded."""

import io
import os
from pathlib import Path
from typing import Any

import torch

SOURCE = Path(__file__).parents[2] / "src"
GUARD = """
import atexit, os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = (arguments[0],)
    else:
        return
    if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "::1", "localhost", "None", ""):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {address}\\n")
        raise OSError(f"no network: {address}")

sys.addaudithook(refuse)
"""


def guarded(folder: Path) -> dict[str, str]:
    """An environment in which each Python process is guarded; `folder` is made for it."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(GUARD)
    (folder / "attempts.txt").touch()
    return {"PYTHONPATH": f"{folder}{os.pathsep}{SOURCE}", "ATTEMPTS": str(folder / "attempts.txt")}


def attempts(folder: Path) -> list[str]:
    """The connections that were refused."""
    return (folder / "attempts.txt").read_text().splitlines()


class Trap:
    """Unpickled, it would run code."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code ran')",)


def saved(content: Any) -> bytes:
    """What torch writes of it."""
    torch.save(content, buffer := io.BytesIO())
    return buffer.getvalue()
