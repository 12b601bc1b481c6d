"""What a data set is: its names, its classes, its sizes and its digests."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DataProfile:
    """What a classifier must know about the data it was trained on.

    Attributes:
        name, title: the short name and the one for people.
        height, width: of an image, in pixels.
        class_names: of label 0 to K - 1.
    """

    name: str
    title: str
    height: int
    width: int
    class_names: list[str]

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        return self.height, self.width


@dataclass(frozen=True)
class DataCard(DataProfile):
    """What a report says about the data of a run.

    Attributes:
        requested: the name of the data set that the parameters ask for; `name` may be that of a substitute.
        images: number of images in each split.
        sha256: digest of each split, see `splits.digest`.
        files: SHA-256 of each file that was read.
    """

    requested: str
    images: dict[str, int]
    sha256: dict[str, str]
    files: dict[str, str]

    @property
    def profile(self) -> DataProfile:
        """The part that a checkpoint holds."""
        return DataProfile(self.name, self.title, self.height, self.width, self.class_names)

    def to_dict(self) -> dict[str, Any]:
        """The content of data_card.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "DataCard":
        """The card in the content of data_card.json.

        Raises:
            TypeError: if a field is missing or unknown.
        """
        return cls(**content)
