"""The page prepares a drawing as `predict` does."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.data.preparation import EDGE
from mnist_lstm.core.explain.content import rules, typical_images
from mnist_lstm.core.inference.doubt import DIGITS, doubt
from mnist_lstm.core.inference.lines import printed_lines
from mnist_lstm.core.inference.preprocess import Frame, preprocess
from mnist_lstm.core.inference.typical import Typical, parts_without_loops, shapes
from tests.core.explain.drawings import drawings
from tests.core.explain.javascript import in_node
from tests.support import tiny

PREPARE = """({drawings, frame, rules}) => drawings.map(([width, height, text]) => Array.from(prepared(
  strokes({width, height, data: Uint8Array.from(Buffer.from(text, "base64"))}, rules), frame)))"""


MNIST = Frame(28, 28, 20 / 28, 0.5)
SMALL, OBLONG = Frame(8, 8, 1.0, 0.44), Frame(40, 30, 0.9, 0.5, stretched=True)
PROFILE = DataProfile("mnist", "MNIST", 28, 28, DIGITS)


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
    found = in_node(PREPARE, tmp_path, drawings=sent, frame=frame._asdict(), rules=rules(PROFILE))
    assert sum(map(has_line, made)) <= len(made) // 100
    for drawing, image in zip(made, found, strict=True):
        if has_line(drawing):
            continue  # `predict` takes part of a scribble for a printed line; on the pad nothing is printed
        expected = preprocess(drawing, frame)
        np.testing.assert_allclose(np.reshape(image, expected.shape), expected.astype(int), atol=tolerance)


def has_line(drawing: NDArray[np.uint8]) -> bool:
    return bool(printed_lines(255 - drawing > 255 * EDGE).any())


DOUBT = """({images, shares, rules, names}) => images.map((image, n) =>
  (doubtOf(Uint8Array.from(image), 28, rules) || uncertainty(shares[n], names, rules)))"""


def test_an_image_is_doubted_where_predict_doubts_it(tmp_path: Path) -> None:
    images = [preprocess(drawing, MNIST) for drawing in drawings(60)]
    images += [np.zeros((28, 28), np.uint8) for _ in range(5)]
    images[-1][12:14, 12:14], images[-2][5:25, 4:24] = 255, 255  # a dot, a square
    images[-3][5:25, [6, 7, 20, 21]], images[-4][10:14, 4:24] = 255, 255  # two digits, a dash
    images[-5][3:25, 9:17] = 255
    images[-5][[5, 6, 10, 11, 15, 16, 20, 21], 11:15] = 0  # four loops
    shares = np.random.default_rng(0).dirichlet(np.full(10, 0.3), len(images))
    sure = np.eye(10)[0]
    unobtrusive = next(n for n, image in enumerate(images) if not doubt(image, sure, PROFILE))
    shares[unobtrusive] = [0.38, 0.36, *[0.0325] * 8]
    expected = [doubt(image, share, PROFILE) for image, share in zip(images, shares, strict=True)]
    sent = {"images": [image.ravel().tolist() for image in images], "shares": shares.tolist()}
    assert in_node(DOUBT, tmp_path, rules=rules(PROFILE), names=DIGITS, **sent) == expected
    assert set(expected) >= {"", "hardly any ink", "ink fills its box", "wider than a digit", "several parts far apart"}
    assert set(expected) >= {"more loops than a digit has", "low probability", "divided between 0 and 1"}


UNLIKE = """({images, answers, typical}) => images.map((image, n) => unlike(Uint8Array.from(image), 28, answers[n],
  {rules: typical.rules, ...Object.fromEntries(["weights", "means", "axes", "scales", "rare", "limit"].map((name) =>
    [name, new (name === "axes" ? Int8Array : Float32Array)(
      Uint8Array.from(Buffer.from(typical[name], "base64")).buffer)]))}))"""


def test_an_image_is_unlike_its_answer_where_it_is_for_predict(tmp_path: Path) -> None:
    images, answers = np.stack([preprocess(drawing, MNIST) for drawing in drawings(40)]), np.arange(40) % 2
    found, random = shapes(images), np.random.default_rng(0)
    weights, scales = random.uniform(0.5, 2, found.shape[1]), random.uniform(0.0005, 0.001, (2, 3))
    axes = random.integers(-99, 99, (2, 3, found.shape[1]))
    means = np.stack([(found * weights)[answers == label].mean(axis=0) for label in range(2)])
    away, scaled = (found * weights - means[answers])[:, None], axes * scales[..., None]
    distances = (away**2).sum(axis=2)[:, 0] - ((away @ scaled[answers].transpose(0, 2, 1)) ** 2).sum(axis=2)[:, 0]
    rare = random.uniform(0, np.ptp(distances), (2, 7))
    distances += rare[answers, parts_without_loops(images)]
    limit = [np.sort(distances)[19:21].mean()]
    typical = Typical(weights=weights, means=means, axes=axes, scales=scales, rare=rare, limit=limit)
    tensors = {name: torch.from_numpy(array) for name, array in typical.arrays().items()}
    sent = typical_images(replace(tiny.checkpoint(), typical=tensors))
    said = in_node(UNLIKE, tmp_path, images=images.reshape(40, -1).tolist(), answers=answers.tolist(), typical=sent)
    expected = typical.unlike(images, answers).tolist()
    assert said == expected
    assert sum(expected) == 20
