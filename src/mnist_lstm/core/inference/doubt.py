"""Says why an image may not show one digit, or why its answer is not to be trusted.

The rules see what the network sees: the prepared image, and the probabilities; `typical.py` compares the image with
those of training. Together they doubt 1.5 % of MNIST's test images (docs/using-the-model.md).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.preparation import EDGE
from mnist_lstm.core.inference.decode import WHITE
from mnist_lstm.core.inference.lines import Mask, box_of

DIGITS = [str(digit) for digit in range(10)]
COARSE = 16  # pixels: on a smaller side of the ink's box, the shape of a digit is not judged
HARDLY, FULL = 0.04, 0.65  # of the pixels of the ink's box: a digit has more ink, and less
WIDE = 1.8  # times its height: a digit is narrower
PART = 0.2  # of the ink: a smaller part is no digit of its own
FAR = 0.25  # of the side of the ink's box: the parts of one digit are nearer to each other
# Of the height of all ink: two parts next to each other, both as high, are two digits; and two of strong ink below
BESIDE, BELOW = 0.5, 0.36
HOLE, HOLES = 2, 3  # pixels of a hole, and holes in a digit, at most
LOW = 0.4  # a lower probability is no answer
DIVIDED = 0.65  # sum of the two highest, from which on an answer of low probability is divided between these


def doubt(image: NDArray[Any], probabilities: NDArray[np.float64], data: DataProfile, unlike: bool = False) -> str:
    """The reason to doubt an answer; empty if there is none.

    Args:
        image: uint8 (height, width), prepared for the model; of a series nothing is judged.
        probabilities: of the K classes.
        data: of the model. The shape of the ink is judged only where its classes are the ten digits.
        unlike: whether the image looks unlike those of the answer (`typical.Typical.unlike`).
    """
    side = data.preparation.fill * min(data.image_shape)
    judged = data.kind == "images" and data.class_names == DIGITS and side >= COARSE
    shape = _shape(ink_of(image, data), side) if judged else ""
    reason = shape or _certainty(probabilities, data.class_names)
    if unlike and not reason:
        return f"unlike the training images of {data.class_names[int(np.argmax(probabilities))]}"
    return reason


def ink_of(images: NDArray[Any], data: DataProfile) -> NDArray[Any]:
    """Images of a data set with 0 for paper."""
    return images if data.preparation.paper == 0 else WHITE - images


def _certainty(probabilities: NDArray[np.float64], names: list[str]) -> str:
    second, first = np.argsort(probabilities, kind="stable")[-2:]
    if probabilities[first] >= LOW:
        return ""
    divided = probabilities[first] + probabilities[second] >= DIVIDED
    return f"divided between {names[first]} and {names[second]}" if divided else "low probability"


def _shape(ink: NDArray[np.uint8], side: float) -> str:
    """Why the ink, 0 to 255, does not look like one digit in a box of `side` pixels."""
    inside = ink > WHITE * EDGE
    filled = np.count_nonzero(inside) / side**2
    if filled < HARDLY:
        return "hardly any ink"
    if filled > FULL:
        return "ink fills its box"
    box = box_of(inside)
    inside = inside[box]
    if inside.shape[1] > WIDE * inside.shape[0]:
        return "wider than a digit"
    strong = ink[box] > WHITE / 2
    if _far_apart(inside, FAR * side) or _are_two(strong, 0, BELOW):
        return "several parts far apart"
    return "more loops than a digit has" if _holes(strong) > HOLES else ""


def _far_apart(inside: Mask, far: float) -> bool:
    """Whether a large part is far from the largest one, or two high parts are next to each other."""
    from scipy import ndimage

    parts, count = ndimage.label(inside, np.ones((3, 3)))
    if count < 2:
        return False
    sizes = np.bincount(parts.ravel())[1:]
    distance = ndimage.distance_transform_edt(parts != 1 + sizes.argmax())
    large = 1 + np.flatnonzero(sizes >= PART * sizes.sum())
    if any(distance[parts == part].min() >= far for part in large):
        return True
    return _are_two(inside, 1, BESIDE)


def _are_two(inside: Mask, axis: int, share: float) -> bool:
    """Whether gaps along the axis leave parts at both ends with this share of the height."""
    if not inside.any():
        return False
    inside = inside[box_of(inside)]
    gaps = np.flatnonzero(~inside.any(axis=1 - axis))
    if not len(gaps):
        return False
    ends = np.split(inside, [gaps[0], gaps[-1] + 1], axis)[::2]
    return all(rows.stop - rows.start >= share * len(inside) for rows, _ in map(box_of, ends))


def _holes(inside: Mask) -> int:
    """The number of holes in the ink."""
    from scipy import ndimage

    paper, _ = ndimage.label(~np.pad(inside, 1))  # what touches by corners only is not one hole
    return int(np.count_nonzero(np.bincount(paper.ravel())[1:] >= HOLE)) - 1
