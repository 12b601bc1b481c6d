"""Pictures as people take and scan them, drawn around MNIST's test images: the kinds that `predict` is held to.

`python -m tests.support.picture_kinds CHECKPOINT FOLDER` prints the table of docs/using-the-model.md; FOLDER holds
MNIST's files.
"""

import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from mnist_lstm.core.data import idx
from mnist_lstm.core.inference.decode import decode
from mnist_lstm.core.inference.predict import predict_tables
from mnist_lstm.core.training import checkpoint
from mnist_lstm.core.training.checkpoint import Checkpoint
from tests.support.picture_files import file_of

Grey = NDArray[np.uint8]
Strength = NDArray[np.float64]  # (height, width), 0 for paper and 1 for ink
Random = np.random.Generator
PAPER, INK = 240, 50
LETTERS = "AEFHKMNRWX"  # none is written like a digit
FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


def on_paper(digit: Grey, random: Random, least: float = 0.5, most: float = 0.75) -> Strength:
    """A digit (28, 28) anywhere on a sheet of 160 to 320 pixels a side; it takes this fraction of the shorter side."""
    height, width = (int(side) for side in random.integers(160, 321, 2))
    rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
    cut = Image.fromarray(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    size = min(height, width) * random.uniform(least, most)
    scaled = cut.resize([max(1, round(side * size / max(cut.size))) for side in cut.size], Image.Resampling.BICUBIC)
    room = (width - scaled.width, height - scaled.height)
    sheet = Image.new("L", (width, height))
    left, top = (int(random.uniform(0.2, 0.8) * side) for side in room)
    sheet.paste(scaled, (left, top))
    return np.clip((np.asarray(sheet, np.float64) / 255 - 0.3) / 0.4, 0, 1)


def shaded(strength: Strength, ink: float = INK) -> Strength:
    return PAPER - strength * (PAPER - ink)


def as_picture(values: Strength) -> Grey:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def plain(digit: Grey, random: Random) -> Grey:
    return as_picture(shaded(on_paper(digit, random, 0.5, 0.95)))


def pencil(digit: Grey, random: Random) -> Grey:
    """Light grey strokes with the grain of the paper in them."""
    strength = on_paper(digit, random)
    return as_picture(shaded(strength * random.normal(1, 0.25, strength.shape), random.uniform(130, 170)))


def pen(digit: Grey, random: Random) -> Grey:
    """Blue or red ink on cream paper, saved as JPEG."""
    colour = np.array([(30, 50, 150), (170, 30, 40)][random.integers(2)])
    paper = np.array((245, 240, 225))
    values = paper + on_paper(digit, random)[..., None] * (colour - paper)
    return decode(file_of(as_picture(values), "JPEG", quality=70))


def cmyk(digit: Grey, random: Random) -> Grey:
    return decode(file_of(Image.fromarray(plain(digit, random)).convert("CMYK"), "JPEG", quality=70))


def grain(digit: Grey, random: Random) -> Grey:
    values = shaded(on_paper(digit, random))
    return as_picture(values + random.normal(0, 14, values.shape))


def cell(digit: Grey, random: Random) -> Grey:
    """A cell of a table, cut out with its lines of 6 pixels."""
    strength = on_paper(digit, random)
    for edge in (np.s_[:6], np.s_[-6:], np.s_[:, :6], np.s_[:, -6:]):
        strength[edge] = 1
    return as_picture(shaded(strength))


def part_of_a_cell(digit: Grey, random: Random) -> Grey:
    """A cell cut out carelessly: lines along two or three of its edges, at some angle."""
    strength = _lines(on_paper(digit, random), random, rows=[3, -4][: random.integers(1, 3)], columns=[3])
    return as_picture(shaded(strength))


def form_box(digit: Grey, random: Random) -> Grey:
    """The box of a form, with paper around it."""
    strength = on_paper(digit, random, 0.45, 0.65)
    height, width = strength.shape
    rows, columns = (np.flatnonzero(strength.any(axis=axis)) for axis in (1, 0))
    box = Image.new("L", (width, height))
    thick = int(random.integers(2, 6))
    top, left = rows[0] - random.integers(8, 15), columns[0] - random.integers(8, 15)
    bottom, right = rows[-1] + random.integers(8, 15), columns[-1] + random.integers(8, 15)
    ImageDraw.Draw(box).rectangle((left, top, right, bottom), outline=255, width=thick)
    turned = box.rotate(random.uniform(-1, 1), Image.Resampling.BICUBIC)
    return as_picture(shaded(np.maximum(strength, np.asarray(turned) / 255)))


def ruled(digit: Grey, random: Random) -> Grey:
    strength = on_paper(digit, random)
    gap = int(random.integers(30, 70))
    rows = list(range(int(random.integers(gap)), len(strength), gap))
    return as_picture(shaded(_lines(strength, random, rows, [])))


def squared(digit: Grey, random: Random) -> Grey:
    strength = on_paper(digit, random)
    gap, (height, width) = int(random.integers(20, 45)), strength.shape
    rows, columns = (list(range(int(random.integers(gap)), side, gap)) for side in (height, width))
    return as_picture(shaded(_lines(strength, random, rows, columns)))


def _lines(strength: Strength, random: Random, rows: list[int], columns: list[int]) -> Strength:
    """Lines through the picture, 1 to 3 pixels thick, of half to full strength, turned by up to 1.5 degrees."""
    height, width = strength.shape
    sheet, thick = Image.new("L", (2 * width, 2 * height)), int(random.integers(1, 4))
    draw = ImageDraw.Draw(sheet)
    for row in rows:
        draw.line((0, row % height + height // 2, 2 * width, row % height + height // 2), 255, thick)
    for column in columns:
        draw.line((column % width + width // 2, 0, column % width + width // 2, 2 * height), 255, thick)
    turned = np.asarray(sheet.rotate(random.uniform(-1.5, 1.5), Image.Resampling.BICUBIC), np.float64) / 255
    cut = turned[height // 2 : height // 2 + height, width // 2 : width // 2 + width]
    return np.maximum(strength, cut * random.uniform(0.5, 1))


def soft_shadow(digit: Grey, random: Random) -> Grey:
    """A hand's shadow that takes 40 to 60 % of the light and fades over a third of the picture."""
    return _in_shadow(digit, random, random.uniform(0.4, 0.6), softness=0.12)


def hard_shadow(digit: Grey, random: Random) -> Grey:
    """The edge of a shadow that takes 35 % of the light."""
    return _in_shadow(digit, random, 0.35, softness=0.004)


def _in_shadow(digit: Grey, random: Random, depth: float, softness: float) -> Grey:
    strength = on_paper(digit, random)
    y, x = (np.linspace(-0.5, 0.5, side) for side in strength.shape)
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * x + np.sin(angle) * y[:, None] + random.uniform(-0.2, 0.2)
    light = 1 - depth / (1 + np.exp(np.clip(-across / softness, -50, 50)))
    return as_picture(shaded(strength) * light + random.normal(0, 2, strength.shape))


def two_digits(digit: Grey, random: Random, other: Grey | None = None) -> Grey:
    """Two digits side by side, of which none is the answer."""
    first, second = (_cut(each) for each in (digit, digit[::-1, ::-1] if other is None else other))
    gap = np.zeros((20, int(random.integers(2, 9))), np.uint8)
    return _as_drawn(np.hstack([first, gap, second]))


def one_below_another(digit: Grey, random: Random) -> Grey:
    """Two digits with a gap, 3 pixels where a digit has 20 or more, of which none is the answer."""
    first, second = (_cut(each.T).T for each in (digit, digit[::-1, ::-1]))
    return _as_drawn(np.vstack([first, np.zeros((int(random.integers(3, 9)), 20), np.uint8), second]))


def _as_drawn(ink: Grey) -> Grey:
    pair = np.pad(ink, 4)
    large = Image.fromarray(pair).resize([side * 6 for side in pair.shape[::-1]], Image.Resampling.BICUBIC)
    return as_picture(shaded(np.asarray(large, np.float64) / 255))


def _cut(digit: Grey) -> Grey:
    columns = np.flatnonzero(digit.any(axis=0))
    return digit[4:24, columns[0] : columns[-1] + 1]


def letter(_: Grey, random: Random) -> Grey:
    sheet = Image.new("L", (200, 200))
    font = ImageFont.truetype(FONT, int(random.integers(90, 150)))
    thick = int(random.integers(0, 5))
    drawn = LETTERS[random.integers(len(LETTERS))]
    ImageDraw.Draw(sheet).text((100, 100), drawn, 255, font, anchor="mm", stroke_width=thick)
    return as_picture(shaded(np.asarray(sheet.rotate(random.uniform(-10, 10))) / 255))


def scribble(_: Grey, random: Random) -> Grey:
    """A line to and fro over a third of the sheet or more."""
    sheet = Image.new("L", (200, 200))
    points = [tuple(random.uniform(30, 170, 2)) for _ in range(random.integers(9, 16))]
    ImageDraw.Draw(sheet).line(points, 255, int(random.integers(6, 13)), joint="curve")
    return as_picture(shaded(np.asarray(sheet.filter(ImageFilter.GaussianBlur(1))) / 255))


def dot(_: Grey, random: Random) -> Grey:
    sheet, radius = Image.new("L", (200, 200)), random.uniform(2, 6)
    x, y = random.uniform(60, 140, 2)
    ImageDraw.Draw(sheet).ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return as_picture(shaded(np.asarray(sheet) / 255))


Kind = Callable[[Grey, Random], Grey]
DIGITS: tuple[Kind, ...] = (
    *(plain, pencil, pen, cmyk, grain, cell),
    *(part_of_a_cell, form_box, ruled, squared, soft_shadow, hard_shadow),
)
NO_DIGIT: tuple[Kind, ...] = (two_digits, one_below_another, letter, scribble, dot)
SURE = 0.9  # probability from which on an answer is sure


class Outcome(NamedTuple):
    """Fractions of the pictures of a kind.

    Attributes:
        right: answered right, in doubt or not.
        wrong: answered wrong with more than `SURE` and without a doubt; where there is no digit, every answer is wrong.
        flagged: skipped, or answered in doubt.
    """

    right: float
    wrong: float
    flagged: float


def outcome(model: Checkpoint, folder: Path, kind: Kind, count: int) -> Outcome:
    """What a model makes of pictures of a kind, drawn around the test images in the folder with MNIST's files."""
    images, labels = (
        idx.decode((folder / f"t10k-{name}-ubyte.gz").read_bytes(), name) for name in ("images-idx3", "labels-idx1")
    )
    random = np.random.default_rng(zlib.crc32(kind.__name__.encode()))
    chosen = random.choice(len(images), count, replace=False)
    table = pd.concat(predict_tables([(str(each), kind(images[each], random)) for each in chosen], model))
    right = (table["digit"] == labels[chosen].astype(str)) & (kind in DIGITS)
    flagged = (table["skipped"] != "") | (table["doubt"].fillna("") != "")
    sure = table["probability"].astype(float).fillna(0) > SURE
    return Outcome(right.mean(), (~right & sure & ~flagged).mean(), flagged.mean())


def main() -> None:
    path, folder = map(Path, sys.argv[1:])
    model = checkpoint.from_bytes(path.read_bytes(), path.name)
    write = sys.stdout.write
    write("| kind | right | wrong, sure and without a doubt | skipped or in doubt |\n|---|---|---|---|\n")
    for kind in DIGITS + NO_DIGIT:
        right, wrong, flagged = outcome(model, folder, kind, 200)
        accuracy = f"{right:.3f}" if kind in DIGITS else "-"
        write(f"| {kind.__name__.replace('_', ' ')} | {accuracy} | {wrong:.3f} | {flagged:.3f} |\n")


if __name__ == "__main__":
    main()
