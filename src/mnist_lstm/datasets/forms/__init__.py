"""The forms of files that data come in: each is recognised by its content and read to arrays."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mnist_lstm.core.data.pixels import grey_values
from mnist_lstm.core.data.series import checked
from mnist_lstm.data_parameters import WITHOUT_PATH, DataParameters
from mnist_lstm.datasets.forms import archives, folders, idx_files, matlab, numpy_files, parquet, series, tables, usps
from mnist_lstm.datasets.forms.pixel_columns import ColumnsError
from mnist_lstm.datasets.forms.raw import (
    FOREIGN,
    RawData,
    expect_every_shard,
    first_bytes,
    foreign,
    ignored,
    is_of_labels,
    is_pointer,
    shown,
    split_named,
    words,
)
from mnist_lstm.errors import UserError

# Each with `recognises`, by a file's path and first bytes, and `read`, the files of this form
FORMS: dict[str, Any] = {
    "IDX": idx_files,
    "npz": numpy_files,
    "parquet": parquet,
    "mat": matlab,
    "USPS": usps,
    "series": series,
    "CSV": tables,
}
OTHER = (
    "none of them; write numbers by numpy.savez, a row for each image as CSV, or pictures into a folder for each class"
)
MOST_FILES = 1000  # in a folder of data files; more are pictures


def read(path: Path, data: DataParameters) -> RawData:
    """The data set in a file or a folder.

    Raises:
        UserError: if it has no known form, or more than one.
    """
    packed = path.is_file() and first_bytes(path, 2) == b"PK" and not recognised(path) and path.suffix not in FOREIGN
    with archives.unpacked(path, data.subset) if packed else nullcontext(path) as place:
        files = files_below(place)
        found: dict[str, list[Path]] = {}
        for file in files if len(files) <= MOST_FILES else []:
            if name := recognised(file):
                found.setdefault(name, []).append(file)
        if "CSV" in found and (data.kind == "series" or any(path.suffix == ".ts" for path in found.get("series", []))):
            found.setdefault("series", []).extend(found.pop("CSV"))
        known = {each for paths in found.values() for each in paths}
        suffixes = {each.suffix for each in known}
        wanted = [file for file in files[:MOST_FILES] if data.subset is None or data.subset.lower() in words(file.name)]
        missing = (file for file in wanted if file not in known and (not known or file.suffix in suffixes))
        if pointers := list(filter(is_pointer, missing)):
            raise UserError(
                f"{path} must hold the files themselves, found pointers of git-lfs ({shown(pointers)}); run `git lfs "
                "pull` there."
            )
        if place.is_dir():
            expect_every_shard(known.intersection(wanted))
        if empty := [file for file in files if file.suffix in suffixes and file.is_file() and not file.stat().st_size]:
            raise UserError(f"{path} must hold complete files, found {shown(empty)} without content; get them again.")
        called_data = (file for file in files if file.suffix in suffixes and _is_called_data(file.name, data.subset))
        if other := foreign(file for file in called_data if file not in known):
            raise UserError(f"{path} must hold data in files that are called so, found {other}.")
        if not found and place.is_dir():
            return folders.read(place, data)
        if len(found) != 1:
            forms = "; ".join(f"{name} ({shown(paths, 3)})" for name, paths in found.items())
            raise UserError(
                f"{path} must be data of one form ({', '.join(FORMS)}, or folders of pictures), found "
                f"{f'{forms}; name the file or folder of the data in data.path' if forms else foreign(files) or OTHER}."
            )
        ((name, chosen),) = found.items()
        raw: RawData = FORMS[name].read(chosen, data)
        return raw


def to_predict(path: Path, kind: str) -> Any:
    """The images uint8 (N, height, width) of a file, or its series float32 (N, T, F); its labels are left out.

    Args:
        path: of a known form. Of several splits the one that its name says, or else the test split is read.
        kind: "images" or "series".

    Raises:
        UserError: if it holds none, or others.
    """
    try:
        parts = read(path, DataParameters.model_construct(**WITHOUT_PATH | {"path": None, "kind": kind})).parts
    except ColumnsError as error:
        found = str(error).partition("; ")[0]
        raise UserError(
            f"{found}; to be classified, it must have the columns of training, one for each pixel, with the labels or "
            "without."
        ) from None
    part = next(parts[split] for split in (split_named(path.name), "test", *parts) if split in parts)
    if kind == "series":
        return checked({"test": part.images}, str(path))["test"]
    return grey_values({"test": part.images}, str(path))[0]["test"]


def recognised(file: Path) -> str | None:
    """The name of a file's form, None for no known one."""
    if not file.is_file():
        return None
    head = first_bytes(file)
    return next((name for name, form in FORMS.items() if form.recognises(file, head)), None)


def _is_called_data(name: str, subset: str | None) -> bool:
    """Whether a file is called as one of images or labels, of the chosen data set."""
    found = bool(split_named(name)) or is_of_labels(name)
    return found and (subset is None or subset.lower() in words(name))


def files_below(folder: Path) -> list[Path]:
    """All files of data below a folder, sorted; or the file that is named, with its other split."""
    if folder.is_file():
        return [folder, *(series.other_split(folder) if recognised(folder) == "series" else [])]
    found = []
    for here, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not ignored(name)]
        found += [Path(here, name) for name in names if not ignored(name)]
    return sorted(file for file in found if not _repeats(file))


def _repeats(file: Path) -> bool:
    """Whether it is the gzipped copy of the file next to it, as torchvision leaves; its last bytes hold the size."""
    plain = file.with_suffix("")
    if file.suffix != ".gz" or not plain.is_file():
        return False
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 4))
        return int.from_bytes(opened.read(), "little") == plain.stat().st_size % 2**32
