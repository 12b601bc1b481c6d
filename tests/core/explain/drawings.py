"""Drawings of thick strokes on white paper, as people make them on the page's pad."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE, PEN = 280, 22


def drawings(count: int) -> Iterator[NDArray[Any]]:
    """One to four smooth strokes of random length, grey at their edges; uint8 (280, 280)."""
    random = np.random.default_rng(5)
    for _ in range(count):
        large = Image.new("L", (4 * SIDE, 4 * SIDE), 255)
        pen, width = ImageDraw.Draw(large), 4 * int(random.integers(8, PEN + 8))
        for _ in range(random.integers(1, 5)):
            at, turn = random.uniform(60, 220, 2), random.uniform(0, 6.3)
            for _ in range(random.integers(1, 60)):
                turn += random.normal(0, 0.35)
                at = np.clip(at + 7 * np.array([np.cos(turn), np.sin(turn)]), 25, SIDE - 25)
                x, y = 4 * at
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
        yield np.asarray(large.resize((SIDE, SIDE), Image.Resampling.BOX))
