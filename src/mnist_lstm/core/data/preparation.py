"""How pictures became the images of a data set, so that predictions can prepare theirs in the same way."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.file_backed import Array

MEASURED = 1000  # images, evenly spaced
EDGE = 0.25  # fraction of the strongest ink at which a stroke begins, also in pictures to predict
ALIKE = 0.85  # of the usual fill: where no box is narrower, pictures lost their aspect ratio

SLACK = 0.1  # by which the ink of a like image may be smaller or larger


@dataclass(frozen=True)
class Preparation:
    """What a source says about its pictures, and where the ink lies in the images that the network reads.

    The defaults of the measured values are those of MNIST.
    """

    # Whether a picture was stretched as it is to the size of an image, its ink neither cut out nor centred
    whole: bool = False
    dark_on_light: bool = False  # whether the source's pixels were inverted, being 0 for ink
    transposed: bool = False  # whether rows and columns of the source's images were swapped
    paper: int = 0  # measured grey value of paper in the images, 0 or 255
    fill: float = 20 / 28  # measured longer side of the ink's box, as a fraction of the image's side
    centre: float = 0.5  # measured position of the ink's centre of mass, as a fraction of the image's side
    heights: tuple[float, float] = (20 / 28, 20 / 28)  # measured, of the ink's box, as fractions: percentiles 1 and 99
    widths: tuple[float, float] = (3 / 28, 20 / 28)  # likewise

    @property
    def stretched(self) -> bool:
        """Whether pictures were stretched to one box, without regard to their aspect ratio."""
        return min(self.heights[0], self.widths[0]) >= ALIKE * self.fill

    def covers(self, image: NDArray[np.uint8]) -> bool:
        """Whether the ink of an image, uint8 (height, width), has the paper and a size as in the data set."""
        height, width = (float(side[0]) for side in _boxes(image[None], self.paper))
        ranges = ((height, self.heights), (width, self.widths))
        within = [(1 - SLACK) * low <= side <= (1 + SLACK) * high for side, (low, high) in ranges]
        return _paper(image[None]) == self.paper and all(within)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Preparation":
        """The inverse of `dataclasses.asdict`, also after JSON made lists of tuples."""
        sides = {key: tuple(content[key]) for key in ("heights", "widths")}
        return cls(**content | sides)


AS_MNIST = Preparation()
OF_OLDER = {"digits": Preparation(fill=1.0, centre=0.44)}  # in records that lack it; others as MNIST


def measured(images: Array, declared: Preparation) -> Preparation:
    """The preparation of a data set.

    Args:
        images: uint8 (N, height, width), as the network reads them.
        declared: what the source says; its measured values are replaced, unless every image is blank.
    """
    sample = images[_evenly(images)]
    paper = 0 if declared.whole or declared.dark_on_light else _paper(sample)
    heights, widths = _boxes(sample, paper)
    if not (inked := heights > 0).any():
        return declared
    heights, widths = heights[inked], widths[inked]
    ink = np.abs(sample[inked].astype(np.float64) - paper)
    return replace(
        declared,
        paper=paper,
        fill=float(np.median(np.maximum(heights, widths))),
        centre=round(float(np.mean([_centres(ink.sum(axis=2)), _centres(ink.sum(axis=1))])), 2),
        heights=_percentiles(heights),
        widths=_percentiles(widths),
    )


def border_grey(images: Array) -> float:
    """The median grey of the pixels at the border of a sample of the images (N, height, width)."""
    return _border(images[_evenly(images)])


def _evenly(images: Array) -> NDArray[np.int64]:
    return np.linspace(0, len(images) - 1, min(len(images), MEASURED)).astype(np.int64)


def _border(images: NDArray[np.uint8]) -> float:
    border = np.concatenate(
        [images[:, [0, -1]].reshape(len(images), -1), images[:, 1:-1, [0, -1]].reshape(len(images), -1)], 1
    )
    return float(np.median(border))


def _paper(images: NDArray[np.uint8]) -> int:
    """255 if most pixels are light, also at the borders, else 0."""
    return 255 if _border(images) > 127 and np.median(images) > 127 else 0


def _boxes(images: NDArray[np.uint8], paper: int) -> Any:
    """Height and width of the ink's box in each image, as fractions, 2 x (N,); 0 where there is no ink."""
    away = np.abs(images.astype(np.int16) - paper)
    strokes = away > EDGE * away.max(axis=(1, 2), keepdims=True)
    lines = (strokes.any(axis=axis) for axis in (2, 1))  # (N, height), (N, width)
    return [
        np.where(line.any(1), line.shape[1] - line.argmax(1) - line[:, ::-1].argmax(1), 0) / line.shape[1]
        for line in lines
    ]


def _centres(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of mass of each profile (N, length), as a fraction of its length."""
    length = profile.shape[1]
    return profile @ np.arange(length) / profile.sum(axis=1) / length  # type: ignore[no-any-return]


def _percentiles(sides: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(sides, [1, 99])
    return float(low), float(high)
