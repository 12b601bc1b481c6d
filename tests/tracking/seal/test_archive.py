"""The format of a seal, with files that mean nothing."""

import io
import json
import zipfile
from typing import Any

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.tracking.seal.archive import MANIFEST, from_bytes, to_bytes

FILES = {"checkpoint.pt": b"weights" * 9, "report/report.html": b"<p>" * 30}
RUN = {"id": "1", "name": "x"}
SEAL = to_bytes(FILES, RUN)


def refused(content: bytes) -> str:
    with pytest.raises(UserError) as error:
        from_bytes(content, "a.zip")
    return str(error.value)


def test_a_seal_gives_back_what_was_sealed_in_the_same_bytes_whatever_the_order() -> None:
    assert from_bytes(SEAL, "a.zip") == (FILES, RUN)
    assert to_bytes(dict(reversed(FILES.items())), RUN) == SEAL


def test_every_changed_bit_is_refused_with_the_file_that_holds_it() -> None:
    with zipfile.ZipFile(io.BytesIO(SEAL)) as archive:
        starts = {entry.header_offset: entry.filename for entry in archive.infolist()}
        end = archive.start_dir
    for at in range(len(SEAL)):
        for bit in (0, 7):
            changed = bytearray(SEAL)
            changed[at] ^= 1 << bit
            message = refused(bytes(changed))
            if at < end:
                assert f" {starts[max(start for start in starts if start <= at)]} in it " in message


@pytest.mark.parametrize("content", [b"", SEAL[:-1], SEAL[:300], SEAL + b"x", b"x" + SEAL])
def test_a_cut_or_longer_seal_is_refused(content: bytes) -> None:
    assert "must be a seal that nobody changed" in refused(content)


@pytest.mark.parametrize(
    "name", ["../outside.json", "/etc/outside.json", "a/b/c.json", "..", "a\\b.json", "run.sh", ".hidden.json", "a.pkl"]
)
def test_a_file_that_could_lead_elsewhere_or_run_is_refused(name: str) -> None:
    assert repr(name) in refused(to_bytes(FILES | {name: b"{}"}, RUN))


def test_nothing_in_a_seal_may_grow() -> None:
    assert "names more bytes than there are" in refused(zipped({"a.json": b"0" * 100_000}, zipfile.ZIP_DEFLATED))
    assert "a.json" in refused(zipped({"a.json": b"{}"}, zipfile.ZIP_DEFLATED))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped({}, zipfile.ZIP_STORED, ("a.json", "a.json"))
    assert "holds 'a.json' in a way that no seal does" in refused(twice)


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ([], "is not that of a seal"),
        ({"run": {}, "files": {"a.json": 1}}, "is not that of a seal"),
        ({"format": "mnist_lstm seal 2", "run": {}, "files": {}}, "has the format 'mnist_lstm seal 2'"),
    ],
)
def test_another_manifest_is_refused(manifest: Any, found: str) -> None:
    assert f"{MANIFEST} in it {found}" in refused(zipped({MANIFEST: json.dumps(manifest).encode()}))


def test_a_file_that_the_manifest_does_not_name_is_refused_and_so_is_one_that_is_missing() -> None:
    with zipfile.ZipFile(io.BytesIO(SEAL)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert "b.json in it is not the file" in refused(zipped(contents | {"b.json": b""}))
    del contents["checkpoint.pt"]
    assert "checkpoint.pt in it is not the file" in refused(zipped(contents))


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_STORED, names: tuple[str, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in [*files.items(), *((name, b"") for name in names)]:
            archive.writestr(name, content)
    return buffer.getvalue()
