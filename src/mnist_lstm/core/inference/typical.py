"""What the training images of each class look like, to notice a picture that looks like none of them.

The network is as sure of a letter as of a digit, so its own values cannot tell them apart. An image is described by
the directions of its edges in 4 x 4 places (Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177) and by the strokes that
a line through it crosses, and its parts and loops are counted. It is unlike a class if its Mahalanobis distance from
the class's mean, with a penalty for loops that are rare in the class, exceeds that of all but 1.25 % of other training
images from the means of theirs (Lee et al. 2018, arXiv:1807.03888).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.inference.decode import WHITE

PLACES, SPREAD = 4, 0.12  # a side; standard deviation of a place, as a fraction of the image's side
LINES, NARROW = 7, 0.07  # rows, and as many columns, whose strokes are counted; their standard deviation, likewise
DIRECTIONS = 16  # of edges, from 0 to 180 degrees
POWER = 0.35  # of the strength of edges in a place, so that thick strokes count little more than thin ones
STROKES = 0.6  # weight of the strokes, where that of the edges is 1
AXES = 30  # in which a class varies most; in all others it varies alike
SHRINKAGE = 0.35  # of the mean variance, added to each variance
STRONG = 0.75  # of the strongest ink: in weaker ink, small loops are closed
LOOPS = 3  # or more loops, or parts, count alike
RARE = 0.03  # weight of the negative logarithm of how often a class has as many parts and loops
FALSE_ALARMS = 0.0125  # of the images
MOST, LEAST = 15_000, 150  # training images that are read, and images of each class that are fitted
FITTED = 0.5  # of these images; the limit is taken from the others
SMALLEST = 16  # pixels a side
AT_ONCE = 100  # images


@dataclass(eq=False, kw_only=True)
class Typical:
    """The shapes of the training images of K classes, D numbers each."""

    weights: Any  # float32 (D,), by which shapes are multiplied; the rest is in these units
    means: Any  # float32 (K, D) of each class
    scales: Any  # float32 (K, A)
    rare: Any  # float32 (K, 7), added to the distance for -3 to 3 parts without their loops
    limit: Any  # float32 (1,), distance from which on an image is unlike its class
    # int8 (K, A, D), orthogonal but for rounding; times its scale, an axis has the length sqrt(1 - v / w) for a
    # variance of w along it and v elsewhere
    axes: Any

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            setattr(self, name, np.asarray(array, np.int8 if name == "axes" else np.float32))

    @classmethod
    def stored(cls, arrays: Mapping[str, Any]) -> Self | None:
        """From `arrays`; None if there are none, or those of an earlier version, which measured other shapes."""
        return cls(**arrays) if "scales" in arrays else None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The attributes by name, as arguments of `Typical`."""
        return dict(vars(self))

    @classmethod
    def of(cls, ink: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> Self | None:
        """The shapes of training images, uint8 (N, height, width) with 0 for paper, and their labels (N,).

        None if the images are smaller than 16 pixels, or too few to say what is rare in a class.
        """
        fitted = np.arange(len(ink)) % 10 < 10 * FITTED
        if min(ink.shape[1:]) < SMALLEST or np.bincount(labels[fitted], minlength=classes).min() < LEAST:
            return None
        found, loops = shapes(ink), parts_without_loops(ink)
        weights = _weights(found)
        parts = [found[fitted & (labels == label)] * weights for label in range(classes)]
        ridge = SHRINKAGE * np.mean([part.var(axis=0).mean() for part in parts])
        axes = [_axes(part, ridge) for part in parts]
        counts = np.ones((classes, 2 * LOOPS + 1))
        np.add.at(counts, (labels[fitted], loops[fitted]), 1)
        rare = -RARE * np.log(counts / counts.max(axis=1, keepdims=True))
        scales = np.maximum(np.abs(axes).max(axis=2) / 127, 1e-9)
        means, rounded = [part.mean(axis=0) for part in parts], np.rint(axes / scales[..., None])
        made = cls(weights=weights, means=means, scales=scales, rare=rare, limit=[0], axes=rounded)
        made.limit[:] = np.quantile(made._distances(found[~fitted], loops[~fitted], labels[~fitted]), 1 - FALSE_ALARMS)
        return made

    def unlike(self, ink: NDArray[np.uint8], answers: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each image, as in `of`, looks unlike the class that is its answer, (N,)."""
        far: NDArray[np.bool_] = self._distances(shapes(ink), parts_without_loops(ink), answers) > self.limit
        return far

    def _distances(
        self, found: NDArray[np.float32], loops: NDArray[np.int64], labels: NDArray[Any]
    ) -> NDArray[np.float32]:
        """Squared Mahalanobis distances of shapes (N, D) from the means of their classes, in units of v, and `rare`."""
        distances: NDArray[np.float32] = self.rare[labels, loops]
        for label in np.unique(labels):
            away = found[labels == label] * self.weights - self.means[label]
            along = away @ self.axes[label].T.astype(np.float32) * self.scales[label]
            distances[labels == label] += (away**2).sum(axis=1) - (along**2).sum(axis=1)
        return distances


def sample(count: int) -> NDArray[np.int64]:
    """Positions of at most 15,000 of `count` images, evenly apart."""
    return np.linspace(0, count - 1, min(count, MOST)).astype(np.int64)


def _weights(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """By which edges vary by 1 in all, and strokes by less."""
    edges = PLACES**2 * DIRECTIONS
    weights = np.ones(found.shape[1], np.float32)
    weights[:edges] /= np.sqrt(found[:, :edges].var(axis=0).sum())
    weights[edges:] *= STROKES / np.sqrt(found[:, edges:].var(axis=0).sum())
    return weights


def _axes(part: NDArray[np.float32], ridge: float) -> NDArray[np.float64]:
    """The axes of a class from its shapes (N, D)."""
    variances, vectors = np.linalg.eigh(np.cov(part.T))
    largest, elsewhere = variances[-AXES:] + ridge, variances[:-AXES].mean() + ridge
    return (vectors[:, -AXES:] * np.sqrt(1 - elsewhere / largest)).T  # type: ignore[no-any-return]


def shapes(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (N, height, width) as vectors (N, 270): edges by place and direction, then strokes across lines."""
    found = np.empty((len(ink), PLACES**2 * DIRECTIONS + 2 * LINES), np.float32)
    for start in range(0, len(ink), AT_ONCE):
        part = ink[start : start + AT_ONCE]
        np.concatenate([_edges(part), _strokes(part)], axis=1, out=found[start : start + AT_ONCE])
    return found


def _edges(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The strength of edges in each place and direction, to the power of 0.35; their slope is Sobel's."""
    grey = np.pad(ink.astype(np.float32) / WHITE, ((0, 0), (1, 1), (1, 1)), "edge")
    across, down = (grey[:, :, 2:] - grey[:, :, :-2]), (grey[:, 2:] - grey[:, :-2])
    right = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    low = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    strength, angle = np.hypot(right, low) / 8, np.arctan2(low, right) / np.pi % 1 * DIRECTIONS
    rows, columns = (_places(side, PLACES, SPREAD) for side in ink.shape[1:])
    pooled = []
    for direction in range(DIRECTIONS):
        apart = np.abs(angle - direction)
        share = np.maximum(1 - np.minimum(apart, DIRECTIONS - apart), 0)  # an edge between two counts for both
        pooled.append(rows @ (strength * share) @ columns.T)
    return np.power(np.stack(pooled, axis=1), np.float32(POWER)).reshape(len(ink), -1)  # type: ignore[no-any-return]


def _strokes(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How many strokes a row crosses, then a column."""
    inside = np.pad(ink > WHITE / 2, ((0, 0), (1, 0), (1, 0)))
    begun = inside[:, 1:, 1:]
    by_row = (begun & ~inside[:, 1:, :-1]).sum(axis=2) @ _places(ink.shape[1], LINES, NARROW).T
    by_column = (begun & ~inside[:, :-1, 1:]).sum(axis=1) @ _places(ink.shape[2], LINES, NARROW).T
    return np.concatenate([by_row, by_column], axis=1).astype(np.float32)


def parts_without_loops(ink: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The number of parts of the strong ink less that of its loops, from 0 for -3 to 6 for 3, (N,).

    It follows from the squares of 2 x 2 pixels with one, three or two opposite pixels of ink (Gray 1971,
    doi:10.1109/T-C.1971.223289).
    """
    inside = np.pad(ink > STRONG * WHITE, ((0, 0), (1, 1), (1, 1))).astype(np.int8)
    count = inside[:, :-1, :-1] + inside[:, :-1, 1:] + inside[:, 1:, :-1] + inside[:, 1:, 1:]
    opposite = (count == 2) & (inside[:, :-1, :-1] == inside[:, 1:, 1:])
    one, three, two = (np.count_nonzero(each, axis=(1, 2)) for each in (count == 1, count == 3, opposite))
    return np.clip((one - three - 2 * two) // 4, -LOOPS, LOOPS) + LOOPS  # type: ignore[no-any-return]


def _places(side: int, count: int, spread: float) -> NDArray[np.float32]:
    """Weights (count, side) of the pixels along a side for each place: normal curves around its middle."""
    middles = (np.arange(count) + 0.5) * side / count - 0.5
    weights = np.exp(-0.5 * ((np.arange(side) - middles[:, None]) / (spread * side)) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)  # type: ignore[no-any-return]
