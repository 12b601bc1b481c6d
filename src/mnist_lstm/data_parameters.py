"""What the parameters of the block `data` mean and may be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import PositiveFloat, model_validator

from mnist_lstm.parameter_types import FROM_ANY_NUMBER, FROM_NUMBER, PATH, SIZE, SPLIT, Seed
from mnist_lstm.sections import NOT_NULL, TRANSIENT, Role, Section

# Values of the options for files of one's own where none is named; the sources in the catalog know theirs
WITHOUT_PATH: dict[str, Any] = dict.fromkeys(
    ("subset", "kind", "label_column", "size", "transposed", "dark_on_light", "brightest")
)
WITHOUT_PATH |= {"split": "auto", "skip_unreadable": False}
WITH_PATH = Role(only_with=("data.path", NOT_NULL))


def source_of(data: Mapping[str, Any]) -> str:
    """The name of the data set that these values of the block `data` name; records of version 0.1 have no path."""
    return Path(data["path"]).resolve().stem if data.get("path") else data["name"]


class DataParameters(Section):
    """Which images are read."""

    name: str  # one of the sources in the catalog's `image_sources`
    path: Annotated[str | None, PATH]  # of a file or folder of one's own, read in place of the source `name`
    # Which of several data sets in a zip file or folder: a word in the names of its files, as EMNIST's "letters"
    subset: Annotated[str | None, FROM_NUMBER, WITH_PATH]
    # Whether the numbers are images, or series that are no images; null: as the form says, or by their type and shape
    kind: Annotated[Literal["images", "series"] | None, WITH_PATH]
    # Of a table: the name, or the position from 0; null: found by name or content
    label_column: Annotated[str | None, FROM_NUMBER, WITH_PATH]
    # Of images, HEIGHTxWIDTH; null: as they are
    size: Annotated[Annotated[str, FROM_ANY_NUMBER, SIZE] | None, WITH_PATH]
    # Whether rows and columns of the images are swapped; null: as the form usually has it
    transposed: Annotated[bool | None, WITH_PATH]
    # Whether ink is dark, as on paper; null: measured at the borders
    dark_on_light: Annotated[bool | None, WITH_PATH]
    # The value of white pixels in the files, of black 0; null: by their range, which all splits must have in common
    brightest: Annotated[PositiveFloat | None, WITH_PATH]
    # Where the files do not say which images validate and test. "auto"; "first": the first training images validate;
    # "stratified": drawn, every class in its share; "70/10/20": by these shares; "60000": the first ones that train
    split: Annotated[str, FROM_ANY_NUMBER, SPLIT, WITH_PATH]
    split_seed: Annotated[Seed, WITH_PATH]  # of the draw
    skip_unreadable: Annotated[bool, WITH_PATH]  # leave out pictures that cannot be read; false: refuse them
    mirror: Annotated[str | None, TRANSIENT]  # fsspec URL of a folder with the files, tried before the source's mirrors
    # What to do where no mirror answers; auto: the bundled digits in place of mnist where no mirror is named, else fail
    on_unreachable: Annotated[Literal["auto", "bundled_digits", "fail"], TRANSIENT]
    timeout: Annotated[PositiveFloat, TRANSIENT]  # seconds that a mirror may stay silent

    @model_validator(mode="after")
    def _options_of_a_path_need_one(self) -> Self:
        given = [key for key, usual in WITHOUT_PATH.items() if getattr(self, key) != usual]
        if self.path is None and given:
            raise ValueError(f"'data.{given[0]}' is for files of your own: name them in data.path, or leave it out")
        return self

    @property
    def source(self) -> str:
        """The name of the data set: of the source, or of the file or folder of one's own."""
        return source_of(self.model_dump())

    @property
    def given(self) -> dict[str, Any]:
        """What was said about a file of one's own, by key with dots; nothing for a named source."""
        if self.path is None:
            return {}
        own = self.model_dump(exclude={"name", "mirror", "on_unreachable", "timeout"}, exclude_none=True)
        return {f"data.{key}": value for key, value in own.items()}

    @property
    def height_and_width(self) -> tuple[int, int] | None:
        """The parameter `size` in numbers."""
        if self.size is None:
            return None
        height, width = map(int, self.size.split("x"))
        return height, width
