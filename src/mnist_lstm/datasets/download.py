"""Fetching a file from the first mirror that has it, whole and checked."""

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

from filelock import FileLock
from pydantic import BaseModel, Field, PositiveInt

from mnist_lstm.datasets.atomic import atomic_file
from mnist_lstm.errors import UnreachableError, UserError
from mnist_lstm.redaction import redacted

logger = logging.getLogger(__name__)

CHUNK = 1 << 18  # bytes read at a time
MOST_BYTES = 1 << 28  # of a file whose size is not known
SLOWEST = 2000  # bytes a second; from a mirror that gives fewer the files would take hours

NAME = r"^\w[^/\\]*$"  # of a file or a folder in one that the project chose: no path that leaves it
Checksum = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$")]


class RemoteFile(BaseModel, extra="forbid", frozen=True):
    """A file as its publisher describes it."""

    checksum: Checksum
    bytes: PositiveInt | None = None  # size, where it is known
    unpacked: Checksum | None = None  # of the content of a gzipped file, where it is known
    name: Annotated[str, Field(pattern=NAME)] = ""  # in the mirror's folder; empty: the usual one

    def called(self, usual: str) -> "RemoteFile":
        """The file under its own name or the usual one."""
        return self.model_copy(update={"name": self.name or usual})

    def variants(self) -> list["RemoteFile"]:
        """The file, and the names that people's copies have: `train-images.idx3-ubyte`, gzipped or not."""
        dotted = re.sub(r"-(idx\d)", r".\1", self.name)
        names = list(dict.fromkeys((self.name, dotted)))
        plain = [RemoteFile(name=name.removesuffix(".gz"), checksum=self.unpacked) for name in names if self.unpacked]
        return [self.model_copy(update={"name": name}) for name in names] + plain


def fetched(file: RemoteFile, folder: Path, mirrors: list[str], timeout: float) -> Path:
    """The file in `folder`, fetched there first if it is missing; size and checksum are verified either way.

    Args:
        mirrors: fsspec URLs of folders, tried in order.
        timeout: seconds that a mirror may stay silent.

    Raises:
        UserError: if the file is there but is not the right one.
        UnreachableError: if it is missing and no mirror gives it.
    """
    if not (found := _present(file, folder)):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{file.name}.lock"):
            if not (found := _present(file, folder)):
                return folder / _fetch(file, folder, mirrors, timeout).name
    path = folder / found.name
    if fault := _fault(found, path):
        raise UserError(f"{path} {fault}; delete it and run again to fetch it anew.")
    return path


def _present(file: RemoteFile, folder: Path) -> RemoteFile | None:
    return next((each for each in file.variants() if (folder / each.name).exists()), None)


def _fetch(file: RemoteFile, folder: Path, mirrors: list[str], timeout: float) -> RemoteFile:
    """Fetches the file, or a variant that the mirror has in its place."""
    refusals = []
    for mirror in mirrors:
        try:
            return _fetch_from(mirror, file.variants(), folder, timeout)
        except UserError:  # of this machine, a full disk say: another mirror does not help
            raise
        except Exception as error:  # each of fsspec's file systems has errors of its own
            refusals.append(redacted(f"{mirror} ({_reason(error)})"))
            logger.warning("%s did not give %s: %s", redacted(mirror), file.name, redacted(_reason(error)))
    tried = "; ".join(refusals) or "none is named"
    raise UnreachableError(
        f"{file.name} must come from a mirror, found none that gives it: {tried}. "
        f"Put the file into {folder}, or name a mirror: --params data.mirror=URL."
    )


def _fetch_from(mirror: str, variants: list[RemoteFile], folder: Path, timeout: float) -> RemoteFile:
    """The first variant that the mirror has; its other faults, and the lack of the first name, are errors."""
    lack: Exception | None = None
    for each in variants:
        try:
            with atomic_file(folder / each.name) as temporary:
                _download(f"{mirror.rstrip('/')}/{each.name}", temporary, each, timeout)
                if fault := _fault(each, temporary):
                    raise ValueError(fault)
            return each
        except ValueError as error:
            if not any(sign in str(error) for sign in ("404", "No such file", "Not Found")):
                raise
            lack = lack or error
    raise lack or ValueError("has no such file")


def _reason(error: BaseException) -> str:
    """What went wrong; for a URL that gave nothing fsspec says no more than the URL, and its cause says why."""
    if isinstance(error, FileNotFoundError) and error.__cause__:
        error = error.__cause__
    if type(error).__name__ == "TooManyRedirects":  # aiohttp's, which says no more than the URL
        return "redirects without end"
    return str(error).partition("\n")[0] or type(error).__name__


def _download(url: str, place: Path, file: RemoteFile, timeout: float) -> None:
    most, received, started = file.bytes or MOST_BYTES, 0, time.monotonic()
    with place.open("wb") as local, _progress(file) as advance:
        for chunk in _chunks(url, timeout):
            received += len(chunk)
            seconds = time.monotonic() - started
            if received > most:
                raise ValueError(f"sends more than {most} bytes")
            if seconds > timeout and received < SLOWEST * seconds:
                raise ValueError(f"is too slow: {received} bytes in {seconds:.0f} s")
            local.write(chunk)
            advance(len(chunk))


def _chunks(url: str, timeout: float) -> Iterator[bytes]:
    """What the mirror sends. Its errors become ValueError, so that none is taken for the disk's."""
    import fsspec

    if url.startswith("file://") and not Path(url.removeprefix("file://")).exists():
        url = unquote(url)  # fsspec takes the rest of the URL for the path as it is
    options: dict[str, Any] = {}
    if url.startswith(("http://", "https://")):
        import aiohttp

        limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
        # trust_env: the proxy that http_proxy, https_proxy and no_proxy name
        client = {"timeout": limits, "trust_env": True}
        options = {"client_kwargs": client, "block_size": 0, "skip_instance_cache": True}
    try:
        with fsspec.open(url, "rb", **options) as remote:
            while chunk := remote.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ValueError(_reason(error)) from error


@contextmanager
def _progress(file: RemoteFile) -> Iterator[Any]:
    """A bar on a terminal, a line in the log elsewhere."""
    from rich import get_console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    logger.info("Fetching %s", file.name)
    columns = (file.name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=get_console(), transient=True, disable=not get_console().is_terminal) as progress:
        task = progress.add_task(file.name, total=file.bytes)
        yield lambda count: progress.advance(task, count)


def _fault(file: RemoteFile, path: Path) -> str:
    """What is wrong with the file's size or checksum, in words, or nothing."""
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        return f"must have {file.bytes} bytes, found {size}"
    kind, _, expected = file.checksum.partition(":")
    with path.open("rb") as content:
        found = hashlib.file_digest(content, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    return "" if found == expected else f"must have the {kind} {expected}, found {found}"
