"""One's own data: folders of pictures, one for each class."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from mnist_lstm.core.data.preparation import Preparation
from mnist_lstm.core.data.splits import (
    ImageSplit,
    Splits,
    data_card,
    expect_one_size,
    images_and_labels,
    stratified,
    stratified_pair,
)
from mnist_lstm.core.inference.decode import BLACK, WHITE, GreyImage, PictureError, decode
from mnist_lstm.errors import UserError

MOST_CLASSES = 256  # that a label of one byte can tell
Share = Annotated[float, Field(gt=0, lt=1)]


class FolderSource(BaseModel):
    """Pictures in a folder for each class, as the catalog describes them.

    Either `train/<class>/` and `test/<class>/` or `<class>/` alone hold the pictures; the folders' names, sorted, are
    the class names. Files whose names begin with a dot, and files beside the folders of the classes, are not read.

    Attributes:
        title: what figures and reports call the data.
        dark_on_light: whether the pictures have dark ink on light paper.
        size: height and width to which every picture is stretched; None where all have one size.
        validation_fraction: of the pictures that are not for test.
        test_fraction: of all, where there is no folder `test`.
        split_seed: of the draw of those, in which every class keeps its share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    dark_on_light: bool
    validation_fraction: Share
    test_fraction: Share | None = None
    split_seed: NonNegativeInt = 0
    size: tuple[PositiveInt, PositiveInt] | None = None

    def read(self, name: str, folder: Path, mirror: str | None, timeout: float) -> Splits:
        """Reads, checks and splits the pictures.

        Args:
            name: of the source.
            folder: its own.
            mirror: URL of a folder on this machine to read instead, or None.
            timeout: not needed on this machine.
        """
        place, sha = local(mirror) if mirror else folder, hashlib.sha256()
        if (place / "test").is_dir():
            names, whole = self._part(place / "train", sha)
            others, test = self._part(place / "test", sha)
            self._expect(names == others, place, f"the same classes in train and test, found {names} and {others}")
            self._expect(self.test_fraction is None, place, "test_fraction left out, as there is a folder test")
            train, valid = stratified_pair(whole, self.validation_fraction, self.split_seed, str(place))
        else:
            names, whole = self._part(place, sha)
            share = self.test_fraction
            self._expect(share is not None, place, "a folder test, or test_fraction in the catalog; found neither")
            shares = (self.validation_fraction * (1 - (share or 0)), share or 0)
            train, valid, test = stratified(whole, shares, self.split_seed, str(place))
        parts = {"train": train, "valid": valid, "test": test}
        expect_one_size(parts, str(place))
        files = {f"{sum(len(part) for part in parts.values())} pictures": sha.hexdigest()}
        declared = Preparation(whole=True, dark_on_light=self.dark_on_light)
        return Splits(**parts, card=data_card(name, self.title, parts, names, files, declared))

    def _part(self, folder: Path, sha: Any) -> tuple[list[str], ImageSplit]:
        """Class names, and the pictures of all classes in turn: the first of each, the second of each, and so on."""
        classes = sorted(path for path in _visible(folder) if path.is_dir())
        self._expect(2 <= len(classes) <= MOST_CLASSES, folder, f"2 to 256 folders of a class, found {len(classes)}")
        found = [
            (rank, label, path)
            for label, each in enumerate(classes)
            for rank, path in enumerate(sorted(_visible(each)))
        ]
        for label, each in enumerate(classes):
            self._expect(any(label == of for _, of, _ in found), each, "pictures, found none")
        ordered = sorted(found)
        images = self._images([path for _, _, path in ordered], sha)
        labels = np.array([label for _, label, _ in ordered], np.uint8)
        return [each.name for each in classes], images_and_labels(images, labels, len(classes), str(folder))

    def _images(self, paths: list[Path], sha: Any) -> Any:
        images: list[Any] = []
        for path in paths:
            self._expect(path.is_file(), path.parent, f"pictures alone, found the folder {path.name}")
            content = path.read_bytes()
            sha.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode() + content)
            images.append(self._image(content, path))
            if images[-1].shape != images[0].shape:
                raise UserError(
                    f"{path} must have the size of the first picture, {images[0].shape}, found {images[-1].shape}; "
                    "name a size in the catalog to stretch all to it."
                )
        return np.stack(images)

    def _image(self, content: bytes, path: Path) -> GreyImage:
        """A picture of the size that is named, 0 for paper and 255 for ink."""
        from PIL import Image

        try:
            pixels = decode(content, paper=WHITE if self.dark_on_light else BLACK)
        except PictureError as error:
            raise UserError(f"{path} must be a complete picture, found: {error}.") from None
        if self.size:
            pixels = np.asarray(Image.fromarray(pixels).resize(self.size[::-1], Image.Resampling.LANCZOS))
        return WHITE - pixels if self.dark_on_light else pixels

    def _expect(self, holds: bool, place: Path, what: str) -> None:
        if not holds:
            raise UserError(f"{place} must hold {what}.")


def local(url: str) -> Path:
    """The folder that a file:// URL or a path names.

    Raises:
        UserError: if it is on another machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("", "file"):
        raise UserError(f"parameter 'data.mirror' must be a file:// folder for pictures in folders, not {url!r}.")
    return Path(url2pathname(parts.path))


def _visible(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} must be a folder of pictures, found none; see `folders` in conf/base/catalog.yml.")
    return (path for path in folder.iterdir() if not path.name.startswith("."))
