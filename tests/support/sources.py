"""Sources of the catalog whose files are written here."""

import hashlib
from pathlib import Path
from typing import Any

from mnist_lstm.datasets.image_sources import FILES
from tests.support import idx


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source(folder: Path, arrays: dict[str, Any], **about: Any) -> dict[str, Any]:
    """The entry of a source whose arrays, by the keys of `FILES`, are IDX files in a folder, which is its mirror."""
    folder.mkdir(exist_ok=True)
    for key, name in FILES.items():
        (folder / name).write_bytes(idx.encode(arrays[key]))
    files = {key: {"checksum": f"sha256:{sha256(folder / name)}"} for key, name in FILES.items()}
    return {"title": "Three shapes", "mirrors": [folder.as_uri()], "validation_images": 3, "files": files} | about
