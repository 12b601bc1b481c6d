"""What the training images of each class look like, to notice a picture that looks like none of them.

The network is as sure of a letter as of a digit, so its own values cannot tell them apart. An image is described by
the directions of its edges in 4 x 4 places (Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177) and by the strokes that
a line through it crosses. It is unlike a class if its Mahalanobis distance from the class's mean exceeds that of all
but 0.5 % of other training images of the class (Lee et al. 2018, arXiv:1807.03888).
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.inference.decode import WHITE

PLACES, SPREAD = 4, 0.12  # a side; standard deviation of a place, as a fraction of the image's side
LINES, NARROW = 7, 0.07  # rows, and as many columns, whose strokes are counted; their standard deviation, likewise
DIRECTIONS = 8  # of edges, from 0 to 180 degrees
STROKES = 0.6  # weight of the strokes, where that of the edges is 1
AXES = 20  # in which a class varies most; in all others it varies alike
SHRINKAGE = 0.5  # of the mean variance, added to each variance
FALSE_ALARMS = 0.005  # of the images of a class
MOST, LEAST = 15_000, 200  # training images that are read, and images of each class that the distances are taken from
FITTED = 0.3  # of these images; the distances are those of the others
SMALLEST = 16  # pixels a side
AT_ONCE = 1000  # images


class Typical:
    """The shapes of the training images of K classes, D numbers each.

    Attributes:
        weights: float32 (D,), by which shapes are multiplied; the rest is in these units.
        means: float32 (K, D) of each class.
        axes: float32 (K, A, D), orthogonal, of length sqrt(1 - v / w) for a variance of w along it and v elsewhere.
        limits: float32 (K,), distances from which on an image is unlike its class.
    """

    def __init__(self, weights: Any, means: Any, axes: Any, limits: Any):
        self._arrays = {"weights": weights, "means": means, "axes": axes, "limits": limits}
        self._arrays = {name: np.asarray(array, np.float32) for name, array in self._arrays.items()}
        self.weights, self.means, self.axes, self.limits = self._arrays.values()

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The attributes by name, as arguments of `Typical`."""
        return self._arrays

    @classmethod
    def of(cls, ink: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> Self | None:
        """The shapes of training images, uint8 (N, height, width) with 0 for paper, and their labels (N,).

        None if the images are smaller than 16 pixels, or too few to say what is rare in a class.
        """
        fitted = np.arange(len(ink)) % 10 < 10 * FITTED
        if min(ink.shape[1:]) < SMALLEST or np.bincount(labels[~fitted], minlength=classes).min() < LEAST:
            return None
        found = shapes(ink)
        weights = _weights(found)
        parts = [found[fitted & (labels == label)] * weights for label in range(classes)]
        ridge = SHRINKAGE * np.mean([part.var(axis=0).mean() for part in parts])
        axes = [_axes(part, ridge) for part in parts]
        made = cls(weights, [part.mean(axis=0) for part in parts], axes, np.zeros(classes))
        distances = made._distances(found[~fitted], labels[~fitted])
        made.limits[:] = [
            np.quantile(distances[labels[~fitted] == label], 1 - FALSE_ALARMS) for label in range(classes)
        ]
        return made

    def unlike(self, ink: NDArray[np.uint8], answers: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each image, as in `of`, looks unlike the class that is its answer, (N,)."""
        far: NDArray[np.bool_] = self._distances(shapes(ink), answers) > self.limits[answers]
        return far

    def _distances(self, found: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.float32]:
        """Squared Mahalanobis distances of shapes (N, D) from the means of their classes, in units of v."""
        distances = np.empty(len(found), np.float32)
        for label in np.unique(labels):
            away = found[labels == label] * self.weights - self.means[label]
            distances[labels == label] = (away**2).sum(axis=1) - ((away @ self.axes[label].T) ** 2).sum(axis=1)
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
    """Images (N, height, width) as vectors (N, 142): edges by place and direction, then strokes across lines."""
    parts = [ink[start : start + AT_ONCE] for start in range(0, len(ink), AT_ONCE)]
    return np.concatenate([np.concatenate([_edges(part), _strokes(part)], axis=1) for part in parts])


def _edges(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Square roots of the strength of edges in each place and direction; their slope is Sobel's."""
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
    return np.sqrt(np.stack(pooled, axis=1)).reshape(len(ink), -1)  # type: ignore[no-any-return]


def _strokes(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How many strokes a row crosses, then a column."""
    inside = np.pad(ink > WHITE / 2, ((0, 0), (1, 0), (1, 0)))
    begun = inside[:, 1:, 1:]
    by_row = (begun & ~inside[:, 1:, :-1]).sum(axis=2) @ _places(ink.shape[1], LINES, NARROW).T
    by_column = (begun & ~inside[:, :-1, 1:]).sum(axis=1) @ _places(ink.shape[2], LINES, NARROW).T
    return np.concatenate([by_row, by_column], axis=1).astype(np.float32)


def _places(side: int, count: int, spread: float) -> NDArray[np.float32]:
    """Weights (count, side) of the pixels along a side for each place: normal curves around its middle."""
    middles = (np.arange(count) + 0.5) * side / count - 0.5
    weights = np.exp(-0.5 * ((np.arange(side) - middles[:, None]) / (spread * side)) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)  # type: ignore[no-any-return]
