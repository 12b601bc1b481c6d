"""The format of a seal: one zip file whose bytes follow from its content, so that every changed byte is found."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any, NoReturn

from mnist_lstm.errors import UserError

FORMAT = "mnist_lstm seal 1"
MANIFEST = "manifest.json"
DIRECTORY = "the list of files"  # at the end of a zip file
# A file, at most in one folder: nothing that leads out of where it is unpacked
NAME = re.compile(r"(?:\w+/)?\w[\w-]*(?:\.[\w-]+)*\.(?:csv|html|json|lock|md|npz|png|pt)", re.ASCII)
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold


def to_bytes(files: Mapping[str, bytes], run: Mapping[str, Any]) -> bytes:
    """The content of a seal; equal arguments give equal bytes. Nothing is compressed, as zlibs differ in it."""
    digests = {name: {"bytes": len(content), "sha256": sha256(content)} for name, content in files.items()}
    manifest = {"format": FORMAT, "run": dict(run), "files": digests}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(_entry(MANIFEST), json.dumps(manifest, indent=2, sort_keys=True))
        for name in sorted(files):
            archive.writestr(_entry(name), files[name])
    return buffer.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATE)
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
    return entry


def from_bytes(content: bytes, place: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a seal and the facts about its run.

    Raises:
        UserError: if a byte is not as it was sealed; names the file inside.
    """
    files = _unpacked(content, place)
    try:
        manifest = json.loads(files.pop(MANIFEST))
        run, digests = dict(manifest["run"]), {name: each["sha256"] for name, each in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse(place, MANIFEST, "is not that of a seal")
    if manifest.get("format") != FORMAT:
        refuse(place, MANIFEST, f"has the format {manifest.get('format')!r}, this version reads {FORMAT!r}")
    for name in sorted(files.keys() | digests.keys()):
        if name not in files or sha256(files[name]) != digests.get(name):
            refuse(place, name, "is not the file that the manifest names")
    if (expected := to_bytes(files, run)) != content:
        refuse(place, _changed(expected, content), "was changed")
    return files, run


def _unpacked(content: bytes, place: str) -> dict[str, bytes]:
    """All files by name. None may be compressed, or larger than the seal, so that nothing grows when it is read."""
    name, files = DIRECTORY, {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(content):
                refuse(place, DIRECTORY, "names more bytes than there are")
            for entry in entries:
                name = entry.filename if NAME.fullmatch(entry.filename) else DIRECTORY
                if name == DIRECTORY or name in files or entry.compress_type != zipfile.ZIP_STORED:
                    refuse(place, name, f"holds {entry.filename!r} in a way that no seal does")
                files[name] = archive.read(entry)
    except UserError:
        raise
    except Exception:  # zipfile and struct raise different errors for damaged files
        refuse(place, name, "is damaged")
    return files


def _changed(expected: bytes, content: bytes) -> str:
    """The file with the first byte that differs from what is expected."""
    first = next((at for at, (one, other) in enumerate(zip(expected, content, strict=False)) if one != other), None)
    with zipfile.ZipFile(io.BytesIO(expected)) as archive:
        if first is None or first >= archive.start_dir:
            return DIRECTORY
        return [entry.filename for entry in archive.infolist() if entry.header_offset <= first][-1]


def sha256(content: bytes) -> str:
    """Of a file's content."""
    return hashlib.sha256(content).hexdigest()


def refuse(place: str, name: str, found: str) -> NoReturn:
    """Raises the error about a seal of which one file is wrong."""
    raise UserError(f"{place} must be a seal that nobody changed, but {name} in it {found}; get the file again.")
