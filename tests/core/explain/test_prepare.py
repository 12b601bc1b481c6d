"""The page prepares a drawing as `predict` does."""

import base64
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_lstm.core.explain.content import RULES
from mnist_lstm.core.inference.lines import printed_lines
from mnist_lstm.core.inference.preprocess import EDGE, Frame, preprocess
from tests.core.explain.drawings import drawings
from tests.core.explain.javascript import in_node

PREPARE = """({drawings, frame, rules}) => drawings.map(([width, height, text]) => Array.from(prepared(
  strokes({width, height, data: Uint8Array.from(Buffer.from(text, "base64"))}, rules), frame)))"""


MNIST = Frame(28, 28, 20 / 28, 0.5)
SMALL, OBLONG = Frame(8, 8, 1.0, 0.44), Frame(40, 30, 0.9, 0.5)


# Of 255. Pillow chooses by shape and version whether it scales across or down first, and rounds in between; where
# strokes are thinner than a pixel, full strength is restored and multiplies that difference
@pytest.mark.parametrize(
    ("frame", "count", "tolerance"),
    [(MNIST, 20, 1), (SMALL, 10, 3), (OBLONG, 10, 3), pytest.param(MNIST, 200, 1, marks=pytest.mark.slow)],
)
def test_drawings_become_the_images_that_predict_makes_of_them(
    frame: Frame, count: int, tolerance: int, tmp_path: Path
) -> None:
    made = [*drawings(count), np.full((9, 9), 255, np.uint8), np.full((280, 280), 255, np.uint8)]
    made[-2][3:6, 4], made[-1][100:180, 140:150] = 0, 90  # larger than its box; pale
    sent = [(*drawing.shape[::-1], base64.b64encode(drawing.tobytes()).decode()) for drawing in made]
    found = in_node(PREPARE, tmp_path, drawings=sent, frame=frame._asdict(), rules=RULES)
    assert sum(map(has_line, made)) <= len(made) // 100
    for drawing, image in zip(made, found, strict=True):
        if has_line(drawing):
            continue  # `predict` takes part of a scribble for a printed line; on the pad nothing is printed
        expected = preprocess(drawing, frame)
        np.testing.assert_allclose(np.reshape(image, expected.shape), expected.astype(int), atol=tolerance)


def has_line(drawing: NDArray[np.uint8]) -> bool:
    return bool(printed_lines(255 - drawing > 255 * EDGE).any())
