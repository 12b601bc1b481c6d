"""What a form of files gives: arrays as they lie in the files, with what the form knows of them."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.core.inference.decode import other_kind
from mnist_lstm.errors import UserError

SPLITS = {
    "train": ("train", "training", "tra", "xtrain", "ytrain"),
    "valid": ("val", "valid", "validation", "dev", "xval", "yval"),
    "test": ("test", "testing", "t10k", "tes", "xtest", "ytest"),
}
# What Windows, macOS and file servers (Synology, QNAP) leave in folders
SYSTEM = ("Thumbs.db", "desktop.ini", "__MACOSX", "Icon\r", "$RECYCLE.BIN", "System Volume Information", "lost+found")
SERVERS = ("@eaDir", "#recycle", "@Recycle")
# By suffix, as some are zip files
FOREIGN = dict.fromkeys(
    (".pt", ".pth", ".pkl", ".pickle"), "a pickle, which is never loaded: store the arrays by numpy.savez"
) | dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet: save it as CSV")
POINTER = b"version https://git-lfs"
HEAD = 1 << 16  # bytes by which a file is recognised
LABELS = ("label", "labels", "y", "ytrain", "yval", "ytest", "target", "targets", "class", "classes")


class RawSplit(NamedTuple):
    """Images (N, height, width), or with channels last, or series (N, T, F); and labels (N,), None without."""

    images: Any
    labels: Any


@dataclass(frozen=True)
class RawData:
    """A data set as its files hold it."""

    form: str  # what the files are, for people
    parts: dict[str, RawSplit]  # by split; "train" alone where nothing is set aside
    class_names: Mapping[Any, str] | None = None  # of labels, where the files or the form name them
    # Whether the form stores images with rows and columns swapped; None: it says nothing of it
    transposed: bool | None = None
    whole: bool = False  # whether the pictures were stretched as they are
    # "series" where the form holds no images; None: decided by the parameter `data.kind` or the numbers
    kind: str | None = None
    dark_on_light: bool | None = None  # whether ink is dark, where the form or the reader knows; None: measured
    files: Mapping[str, str] = field(default_factory=dict)  # SHA-256 by what it is of; empty: that of each file
    notes: tuple[str, ...] = ()  # what was left out or chosen


def ignored(name: str) -> bool:
    """Whether a file or folder with this name is hidden or the system's, and no data."""
    return name.startswith(".") or name in (*SYSTEM, *SERVERS)


def words(name: str) -> list[str]:
    """The words of a file's or an array's name, in lower case: "kmnist-train-imgs.npz" to kmnist, train, imgs, npz."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]


def split_named(name: str) -> str | None:
    """The split that a name tells: "train", "valid", "test", or None."""
    found = words(name)
    if name.endswith(".t") or ".t." in name:  # as LIBSVM's test files are called
        return "test"
    return next((split for split, names in SPLITS.items() if any(word in names for word in found)), None)


def is_of_labels(name: str) -> bool:
    """Whether an array with this name holds labels."""
    return any(word in LABELS for word in words(name))


def by_split(files: Iterable[Path], subset: str | None) -> tuple[dict[str, list[Path]], list[Path]]:
    """The files of each split, by their names or else their folders', and those left out as nothing names their split.

    Args:
        files: of one form.
        subset: a word that the names of the files must have; None for any.

    Raises:
        UserError: if no file has that word.
    """
    files = sorted(files)
    chosen = [path for path in files if subset is None or subset.lower() in words(path.name)]
    if not chosen:
        raise UserError(
            f"parameter 'data.subset' must be a word in the names of the files ({shown(files)}), not {subset!r}."
        )
    found: dict[str, list[Path]] = {}
    top = Path(os.path.commonpath([path.parent for path in files]))
    for path in chosen:
        folders = path.relative_to(top).parts[-2::-1]  # the innermost first, as train/0000.parquet
        named = (split_named(name) for name in (path.name, *folders))
        found.setdefault(next(filter(None, named), ""), []).append(path)
    unnamed = found.pop("", [])
    if unnamed and "train" not in found:
        found["train"], unnamed = unnamed, []
    return {split: found[split] for split in SPLITS if split in found}, unnamed


def expect_every_shard(files: Iterable[Path]) -> None:
    """Checks that of files called NAME-00000-of-00002, as Hugging Face has them, all are there."""
    shards: dict[tuple[Path, str, str, str], set[str]] = {}
    for file in files:
        if match := re.fullmatch(r"(.+)-(\d{3,6})-of-(\d{3,6})(\..+)", file.name):
            shards.setdefault((file.parent, match[1], match[3], match[4]), set()).add(match[2])
    for (folder, name, total, suffix), found in shards.items():
        missing = [at for at in range(int(total)) if f"{at:0{len(total)}}" not in found]
        if missing and len(found) < int(total):
            named = Path(folder, f"{name}-{missing[0]:0{len(total)}}-of-{total}{suffix}")
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise UserError(
                f"{folder} must hold all {int(total)} files of {name}, found {len(found)} without {named.name}{more}; "
                "get it, or name one file in data.path."
            )


def first_bytes(path: Path, count: int = HEAD) -> bytes:
    """The beginning of a file, by default as much as tells its form."""
    with path.open("rb") as file:
        return file.read(count)


def foreign(files: Iterable[Path]) -> str | None:
    """The first file whose form is known and not read, with what to do; None if none of the first 1,000 is one."""
    for file in islice(filter(Path.is_file, files), 1000):
        if kind := FOREIGN.get(file.suffix) or other_kind(first_bytes(file, 512)):
            return f"{file.name}, {kind}"
    return None


def is_pointer(file: Path) -> bool:
    """Whether git-lfs has written it in place of the file itself."""
    return file.is_file() and first_bytes(file, len(POINTER)) == POINTER


def only(paths: list[Path], what: str, beside: Sequence[Path] = ()) -> Path:
    """The one path.

    Args:
        beside: the files that need one; there are some if there may be no path.

    Raises:
        UserError: if there are several or none.
    """
    if not paths:
        raise UserError(
            f"{beside[0]} must have a file of {what} with it, found none that was read; name the folder of both in the "
            "parameter data.path, or get the file again."
        )
    if len(paths) > 1:
        raise UserError(
            f"there must be one file of {what}, found {shown(paths)}; name the one in the parameter data.path, or a "
            "word of its name: --params data.subset=WORD."
        )
    return paths[0]


def shown(paths: Iterable[Path], most: int = 8) -> str:
    """The names of files, in a phrase."""
    names = [path.name for path in paths]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def of_emnist(files: Iterable[list[Path]]) -> bool | None:
    """True where all files are named as EMNIST's, whose images are transposed; None: nothing is known of others."""
    return all("emnist" in path.name.lower() for paths in files for path in paths) or None


def left_out(paths: list[Path]) -> tuple[str, ...]:
    """A note on files that are not read."""
    return (f"left out: {shown(paths)}",) if paths else ()
