import errno
import gzip
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import fsspec
import pytest

from mnist_lstm.datasets.download import RemoteFile, fetched
from mnist_lstm.errors import UnreachableError, UserError
from tests.support.projects import CLOSED

NAME = "train-images-idx3-ubyte.gz"
CONTENT = bytes(range(256)) * 2000
FILE = RemoteFile(name=NAME, checksum=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", bytes=len(CONTENT))
DESCRIBED = (FILE.name, FILE.checksum, str(FILE.bytes))  # as a command's arguments
TIMEOUT = 0.5  # seconds
PATIENT = 30.0  # seconds
PIECES = 4  # in which a slow mirror sends, with half a TIMEOUT between two

# What a mirror answers, by the folder of its URL: status and content
ANSWERS = {
    "good": (200, CONTENT),
    "slow": (200, CONTENT),
    "silent": (200, CONTENT),
    "stalled": (200, CONTENT),
    "cut": (200, CONTENT),
    "missing": (404, b"not found"),
    "forbidden": (403, b"no"),
    "broken": (500, b"oops"),
    "html": (200, b"<html>Log in first</html>"),
    "empty": (200, b""),
    "longer": (200, CONTENT + b"x"),
    "shorter": (200, CONTENT[:-1]),
    "flipped": (200, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])),
    "circle": (302, b""),
    "to_a_file": (302, b""),
    "trickling": (200, CONTENT),
}
TRICKLE = 0.02  # seconds between two bytes of a mirror that would take hours


class Mirror(ThreadingHTTPServer):
    """A server on the loopback that answers as `ANSWERS` says, and counts how often it was requested."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.closing = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """Lets a client hang up, as one does that has seen enough."""

    def url(self, kind: str, user: str = "") -> str:
        return CLOSED if kind == "refused" else f"http://{user}127.0.0.1:{self.server_port}/{kind}/"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._answer(with_content=True)

    def _answer(self, with_content: bool) -> None:
        kind = urlsplit(self.path).path.split("/")[1]  # a proxy is asked for a complete URL
        status, content = ANSWERS[kind]
        if kind == "silent":
            self.server.closing.wait(60)
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.path if kind == "circle" else Path(__file__).as_uri())
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_content:
            self._send(kind, content)

    def _send(self, kind: str, content: bytes) -> None:
        if kind == "trickling":
            for byte in content:
                if self.server.closing.wait(TRICKLE):
                    return
                self.wfile.write(bytes([byte]))
        size = -(-len(content) // PIECES)
        for start in range(0, len(content), size):
            if start and kind == "cut":
                return
            if start and kind in ("slow", "stalled"):
                self.server.closing.wait(TIMEOUT / 2 if kind == "slow" else 60)
            self.wfile.write(content[start : start + size])
            self.wfile.flush()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[Mirror]:
    mirror = Mirror()
    thread = threading.Thread(target=mirror.serve_forever)
    thread.start()
    yield mirror
    mirror.closing.set()
    mirror.shutdown()
    thread.join()
    mirror.server_close()


@pytest.fixture
def mirror(server: Mirror) -> Mirror:
    server.asked.clear()
    return server


def left(folder: Path) -> list[str]:
    """The files in a folder but for locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# Why a mirror of each kind does not give the file
BAD = {
    "refused": "[Cc]onnect",
    "missing": "404",
    "forbidden": "403",
    "broken": "500",
    "html": f"must have {len(CONTENT)} bytes, found",
    "empty": "found 0",
    "longer": f"more than {len(CONTENT)} bytes",
    "shorter": f"must have {len(CONTENT)} bytes, found {len(CONTENT) - 1}",
    "flipped": "must have the sha256",
    "cut": "not completed|payload|closed",
    "silent": "[Tt]ime",
    "stalled": "[Tt]ime",
    "circle": "[Rr]edirect",
    "to_a_file": "file",
    "trickling": "too slow",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_mirror_that_gives_something_else_is_told_with_the_reason_and_the_next_is_asked(
    tmp_path: Path, mirror: Mirror, kind: str
) -> None:
    with pytest.raises(UnreachableError, match=rf"\(.*({BAD[kind]}).*\)\. Put the file"):
        fetched(FILE, tmp_path, [mirror.url(kind)], TIMEOUT)
    assert left(tmp_path) == []
    path = fetched(FILE, tmp_path, [mirror.url(kind), mirror.url("good")], TIMEOUT)
    assert path.read_bytes() == CONTENT
    assert left(tmp_path) == [NAME]


@pytest.mark.parametrize("kind", ["good", "slow"])  # in all it may take longer than it may stay silent
def test_the_first_good_mirror_is_the_only_one_asked_with_a_slash_at_its_end_or_without(
    tmp_path: Path, mirror: Mirror, kind: str
) -> None:
    path = fetched(FILE, tmp_path, [mirror.url(kind).rstrip("/"), mirror.url("slow")], TIMEOUT)
    assert (path.read_bytes(), mirror.asked) == (CONTENT, [f"/{kind}/{NAME}"])


@pytest.mark.parametrize("folder", ["mirror", "my mirror"])  # %20 in its address
def test_a_folder_is_a_mirror_too(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / NAME).write_bytes(CONTENT)
    path = fetched(FILE, tmp_path / "data", [(tmp_path / folder).as_uri()], TIMEOUT)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["train-images.idx3-ubyte.gz", "train-images-idx3-ubyte", "train-images.idx3-ubyte"])
def test_a_copy_with_a_dot_or_unpacked_is_a_mirror_too(tmp_path: Path, name: str) -> None:
    there, packed = tmp_path / "there", gzip.compress(CONTENT)
    there.mkdir()
    (there / name).write_bytes(packed if name.endswith(".gz") else CONTENT)
    sums = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in (packed, CONTENT)]
    file = RemoteFile(name=NAME, checksum=sums[0], bytes=len(packed), unpacked=sums[1])
    for mirrors in ([there.as_uri()], []):  # then the file is there
        found = fetched(file, tmp_path / "here", mirrors, TIMEOUT)
        assert (found.name, found.read_bytes()) == (name, (there / name).read_bytes())
    found.write_bytes(b"other")
    with pytest.raises(UserError, match=f"{name} must have "):
        fetched(file, tmp_path / "here", [], TIMEOUT)


def test_the_proxy_of_the_environment_is_asked(tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", mirror.url("good"))
    assert fetched(FILE, tmp_path, ["http://mirror.invalid/good"], PATIENT).read_bytes() == CONTENT
    assert mirror.asked == [f"http://mirror.invalid/good/{NAME}"]


def test_a_file_without_a_known_size_is_checked_by_its_checksum_and_one_without_end_cut_off(
    tmp_path: Path, mirror: Mirror
) -> None:
    with pytest.raises(UnreachableError, match="sends more than 1000 bytes"):
        fetched(FILE.model_copy(update={"bytes": 1000}), tmp_path, [mirror.url("good")], TIMEOUT)
    file = RemoteFile(name=NAME, checksum=f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}")
    path = fetched(file, tmp_path, [mirror.url("longer"), mirror.url("good")], TIMEOUT)
    assert path.read_bytes() == CONTENT


def test_a_present_file_is_used_and_no_mirror_asked(tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    assert fetched(FILE, tmp_path, [mirror.url("good")], TIMEOUT) == tmp_path / NAME
    assert mirror.asked == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (ANSWERS["flipped"][1], f"must have the sha256 {FILE.checksum.removeprefix('sha256:')}, found"),
        (CONTENT[:-1], f"must have {len(CONTENT)} bytes, found {len(CONTENT) - 1}"),
        (b"", "found 0"),
    ],
    ids=["flipped", "shorter", "empty"],
)
def test_a_present_file_that_is_not_the_right_one_is_named_and_left_alone(
    tmp_path: Path, mirror: Mirror, content: bytes, found: str
) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(UserError, match=rf"^{tmp_path / NAME} .*{found}.*delete it and run again") as raised:
        fetched(FILE, tmp_path, [mirror.url("good")], TIMEOUT)
    assert (tmp_path / NAME).read_bytes() == content
    assert not isinstance(raised.value, UnreachableError)


def test_where_no_mirror_has_the_file_each_is_told_and_where_to_put_it(tmp_path: Path, mirror: Mirror) -> None:
    mirrors = [mirror.url("missing"), mirror.url("html"), CLOSED]
    with pytest.raises(UnreachableError, match=f"^{NAME} must come from a mirror") as raised:
        fetched(FILE, tmp_path, mirrors, TIMEOUT)
    message = str(raised.value)
    assert f"Put the file into {tmp_path}" in message
    assert all(url in message for url in mirrors)


@pytest.mark.parametrize(("mirrors", "reason"), [([], "none is named"), (["gopher://127.0.0.1"], r"gopher.*\)\. Put")])
def test_that_no_mirror_is_named_or_one_of_another_world_is_told(
    tmp_path: Path, mirrors: list[str], reason: str
) -> None:
    with pytest.raises(UnreachableError, match=reason):
        fetched(FILE, tmp_path, mirrors, TIMEOUT)


def test_a_mirrors_password_is_told_to_nobody(tmp_path: Path, mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnreachableError) as raised:
        fetched(FILE, tmp_path, [mirror.url("missing", "user:secret@"), "http://user:secret@127.0.0.1:9/"], TIMEOUT)
    assert "secret" not in str(raised.value)
    assert "secret" not in caplog.text


def test_a_full_disk_is_not_taken_for_a_silent_mirror(
    tmp_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=full))
    with pytest.raises(UserError, match="must be writable") as raised:
        fetched(FILE, tmp_path, [mirror.url("good")], TIMEOUT)
    assert not isinstance(raised.value, UnreachableError)


def test_a_mirror_that_may_not_be_read_is_not_taken_for_a_disk_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = mock.Mock(side_effect=PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/secret/mirror"))
    monkeypatch.setattr(fsspec, "open", denied)
    with pytest.raises(UnreachableError, match=r"Permission denied"):
        fetched(FILE, tmp_path, ["file:///secret/mirror"], TIMEOUT)


def test_several_threads_at_once_fetch_once(tmp_path: Path, mirror: Mirror) -> None:
    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(lambda _: fetched(FILE, tmp_path, [mirror.url("slow")], PATIENT), range(8)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert mirror.asked == [f"/slow/{NAME}"]


FETCH = """
import sys
from pathlib import Path
from mnist_lstm.datasets.download import RemoteFile, fetched

folder, mirror, name, checksum, size = sys.argv[1:]
fetched(RemoteFile(name=name, checksum=checksum, bytes=size), Path(folder), [mirror], 30.0)
"""


def test_several_processes_at_once_fetch_once(tmp_path: Path, mirror: Mirror) -> None:
    command = [sys.executable, "-c", FETCH, str(tmp_path), mirror.url("slow"), *DESCRIBED]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert mirror.asked == [f"/slow/{NAME}"]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_fetch_that_was_killed_is_done_anew(tmp_path: Path, mirror: Mirror) -> None:
    command = [sys.executable, "-c", FETCH, str(tmp_path), mirror.url("stalled"), *DESCRIBED]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not mirror.asked:
            assert process.poll() is None
        process.kill()
    assert fetched(FILE, tmp_path, [mirror.url("good")], TIMEOUT).read_bytes() == CONTENT
