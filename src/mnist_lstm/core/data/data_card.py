"""Facts about a data set: names, classes, sizes and digests."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from mnist_lstm.core.data.preparation import AS_MNIST, OF_OLDER, Preparation


class Word(NamedTuple):
    """A noun, singular and plural."""

    one: str
    many: str

    @property
    def article(self) -> str:
        """With its article: "an image"."""
        return f"{'an' if self.one[0] in 'aeiou' else 'a'} {self.one}"


# What is classified, and one number of it
NOUNS = {"images": (Word("image", "images"), Word("pixel", "pixels"))}
NOUNS["series"] = (Word("series", "series"), Word("feature", "features"))


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 row", "28 rows"; `many` where the plural is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@dataclass(frozen=True)
class DataProfile:
    """The facts about its training data that a classifier needs."""

    name: str  # in parameters
    title: str  # in reports
    height: int  # of an image, in pixels; of a series, its steps
    width: int  # likewise; of a series, its features
    class_names: list[str]  # names of labels 0 to K - 1
    preparation: Preparation = field(default=AS_MNIST, kw_only=True)  # how the source's pictures became these images
    kind: str = field(default="images", kw_only=True)  # "images", or "series" of numbers that are no images

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        return self.height, self.width

    @property
    def form(self) -> str:
        """Kind, size and number of classes, in which data must agree for one network."""
        if self.kind == "series":
            size = f"series of {counted(self.height, 'step')} at most of {counted(self.width, 'feature')}"
        else:
            size = f"images of {self.height} x {self.width} pixels"
        return f"{size} in {counted(len(self.class_names), 'class', 'classes')}"

    @property
    def noun(self) -> Word:
        """What is classified: "image" or "series"."""
        return NOUNS[self.kind][0]

    @property
    def unit(self) -> Word:
        """What is read at a step: "pixel" or "feature"."""
        return NOUNS[self.kind][1]

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`; also reads older records, which lack the preparation.

        Raises:
            TypeError: if a field is missing or unknown.
        """
        if "preparation" not in content:
            return cls(**content, preparation=OF_OLDER.get(content.get("name", ""), AS_MNIST))
        return cls(**content | {"preparation": Preparation.from_dict(content["preparation"])})


@dataclass(frozen=True)
class DataCard(DataProfile):
    """The facts that a report states about the data of a run."""

    requested: str  # the data set named in the parameters; `name` differs if a substitute was used
    images: dict[str, int]  # number of images in each split
    sha256: dict[str, str]  # digest of each split, from `splits.digest`
    files: dict[str, str]  # SHA-256 of each source file
    # Sentences on form, classes and split, where they were found out by reading the files
    decided: list[str] = field(default_factory=list, kw_only=True)
    # The parameters of the block `data` that name one's own file and say how to read it
    given: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def profile(self) -> DataProfile:
        """The part that is stored in a checkpoint."""
        return DataProfile(**{name: getattr(self, name) for name in DataProfile.__dataclass_fields__})

    def to_dict(self) -> dict[str, Any]:
        """The content of data_card.json."""
        return asdict(self)
