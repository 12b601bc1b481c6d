import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.data_card import DataProfile
from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.inference.predict import as_text
from mnist_lstm.core.inference.preprocess import Frame, frame_of, preprocess
from tests.support.mnist_run import needs_mnist, published

MNIST = frame_of(DataProfile("mnist", "MNIST", 28, 28, ["0"]))
DIGITS = frame_of(bundled_digits().card)


def seven() -> NDArray[np.uint8]:
    """Light on dark, 60 pixels high and 40 wide, on 100 x 100."""
    drawn = np.zeros((100, 100), np.uint8)
    drawn[20:30, 30:70] = 255
    for row in range(30, 80):
        drawn[row, 55 - row // 3 + 5 : 65 - row // 3 + 10] = 255
    return drawn


def changed(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How far each pixel of the preprocessed picture is from that of `seven`."""
    away = preprocess(picture, MNIST).astype(np.int64) - preprocess(seven(), MNIST)
    return np.abs(away)  # type: ignore[no-any-return]


def box_of(image: NDArray[np.uint8]) -> tuple[int, int]:
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


@pytest.mark.parametrize(
    ("picture", "frame", "box"),
    [
        (seven(), MNIST, (20, 13)),
        (np.ascontiguousarray(seven().T), MNIST, (13, 20)),
        (seven(), MNIST._replace(height=56, width=56), (40, 27)),
    ],
    ids=["tall", "wide", "a larger image"],
)
def test_the_ink_fills_twenty_of_28_pixels_in_its_aspect(
    picture: NDArray[np.uint8], frame: Frame, box: tuple[int, int]
) -> None:
    assert box_of(preprocess(picture, frame)) == box


def test_the_centre_of_mass_is_in_the_middle_paper_is_0_and_ink_reaches_255() -> None:
    image = preprocess(seven(), MNIST)
    assert np.abs(np.subtract(ndimage.center_of_mass(image), 14)).max() <= 0.5
    assert image.dtype == np.uint8
    assert (image.min(), image.max()) == (0, 255)


@given(
    top=st.integers(0, 300),
    left=st.integers(0, 300),
    room=st.integers(1, 300),
    dark=st.integers(0, 90),
    light=st.integers(150, 255),
    inverted=st.booleans(),
)
def test_place_paper_polarity_and_contrast_do_not_matter(
    top: int, left: int, room: int, dark: int, light: int, inverted: bool
) -> None:
    canvas = np.pad(seven(), ((top, room), (left, room)))
    drawn = np.where(canvas > 0, light, dark).astype(np.uint8)
    assert changed(255 - drawn if inverted else drawn).max() <= 2  # of 255, by rounding


@pytest.mark.parametrize("times", [2, 5, 20])
def test_size_hardly_matters(times: int) -> None:
    assert changed(seven().repeat(times, 0).repeat(times, 1)).mean() < 2


def test_dust_and_grain_do_not_matter() -> None:
    noise = np.random.default_rng(0).normal(0, 6, (100, 100))
    scan = np.clip(225 - seven() * 0.7 + noise, 0, 255).astype(np.uint8)
    scan[[3, 90, 91, 50], [4, 92, 92, 5]] = 40
    assert changed(scan).mean() < 6


def lined(rows: tuple[int, ...], columns: tuple[int, ...] = (), thick: int = 2) -> NDArray[np.uint8]:
    """`seven` with lines across the picture."""
    drawn = seven()
    for line in [np.s_[row : row + thick] for row in rows] + [np.s_[:, left : left + thick] for left in columns]:
        drawn[line] = np.maximum(drawn[line], 200)
    return drawn


def boxed(margin: int, thick: int) -> NDArray[np.uint8]:
    """`seven` in a box."""
    drawn, box = seven(), np.s_[margin : 100 - margin, margin : 100 - margin]
    frame = np.full((100 - 2 * margin,) * 2, 255, np.uint8)
    frame[thick:-thick, thick:-thick] = 0
    drawn[box] = np.maximum(drawn[box], frame)
    return drawn


LINED = {
    "a cell's lines": boxed(0, 6),
    "a form's box": boxed(8, 3),
    "ruled paper": lined((10, 45, 90)),
    "one line": lined((60,)),
    "squared paper": lined((10, 35, 60, 85), (5, 25, 45, 65, 85)),
    "two edges of a cell": lined((1,), (2,), thick=4),
}


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("lines", LINED)
def test_printed_lines_and_frames_do_not_matter(lines: str, inverted: bool) -> None:
    assert changed(255 - LINED[lines] if inverted else LINED[lines]).mean() < 2


@pytest.mark.parametrize("turned", [-1.5, 1.0])
def test_lines_may_be_turned(turned: float) -> None:
    sheet = np.asarray(Image.fromarray(np.pad(lined((10, 45, 90)), 100, mode="edge")).rotate(turned))
    assert changed(np.maximum(sheet[100:200, 100:200], 0)).mean() < 12


PHOTOS = {
    "a soft shadow": ((240 - seven() * 0.8) * (1 - 0.5 / (1 + np.exp(-np.linspace(-6, 6, 100)))), 5),
    "a hard shadow": ((240 - seven() * 0.8) * np.where(np.arange(100) < 45, 0.6, 1), 5),
    "uneven light": ((230 - seven() * 0.7) * np.linspace(0.75, 1, 100), 8),
}


@pytest.mark.parametrize("photo", PHOTOS)
def test_shadows_and_uneven_light_do_not_matter(photo: str) -> None:
    picture, most = PHOTOS[photo]
    assert changed(picture.astype(np.uint8)).mean() < most


@pytest.mark.parametrize("room", [(0, 0), (0, 30), (30, 0)])
def test_strokes_from_edge_to_edge_are_no_lines(room: tuple[int, int]) -> None:
    four = np.zeros((60, 50), np.uint8)
    four[:, 30:36], four[34:40], four[:36, :6] = 255, 255, 255
    down, across = room
    cut = np.pad(four, ((down, down), (across, across)))
    assert np.array_equal(preprocess(cut, MNIST), preprocess(np.pad(four, 40), MNIST))


def test_ink_along_a_whole_edge_is_ink() -> None:
    assert changed(seven()[20:80, 30:70]).max() <= 2


def test_a_line_of_one_pixel_is_ink() -> None:
    drawn = np.full((500, 500), 255, np.uint8)
    drawn[100:400, 250] = 0
    image = preprocess(drawn, MNIST)
    assert box_of(image) == (20, 1)
    assert image.max() == 255


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    frame=st.sampled_from([MNIST, DIGITS, MNIST._replace(height=6, width=4)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_picture_is_preprocessed_or_refused(height: int, width: int, frame: Frame, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    try:
        image = preprocess(picture, frame)
    except PictureError:
        return
    assert (image.shape, image.max()) == ((frame.height, frame.width), 255)


FAINT = np.full((40, 40), 200)
FAINT[10:30, 18:22] -= 20  # of 255


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9)), np.full((9, 9), 255), np.full((1, 1), 3), np.tile(np.arange(100, 160), (60, 1)), FAINT],
)
def test_a_blank_picture_is_refused(picture: NDArray[np.float64]) -> None:
    with pytest.raises(PictureError, match=r"^blank: "):
        preprocess(picture.astype(np.uint8), MNIST)


def test_ink_like_noise_is_refused_but_not_called_blank() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    with pytest.raises(PictureError, match="its ink and its paper cannot be told apart: leave more paper around"):
        preprocess(noise, MNIST)


def difference(images: NDArray[np.uint8], frame: Frame, times: int) -> float:
    """Mean difference of a pixel after each image was enlarged, inverted, put on a canvas and preprocessed again."""
    again = []
    for image in images:
        large = np.asarray(Image.fromarray(image).resize((image.shape[1] * times, image.shape[0] * times)))
        again.append(preprocess(255 - np.pad(large, ((50, 7), (3, 90))), frame))
    return float(np.abs(np.array(again).astype(int) - images).mean())


def test_a_bundled_digit_is_found_again_on_a_canvas() -> None:
    assert difference(bundled_digits().test.images[:100], DIGITS, 20) < 35


@needs_mnist
def test_an_mnist_digit_is_found_again_on_a_canvas() -> None:
    assert difference(published("t10k", "images")[:300], MNIST, 10) < 8


@pytest.mark.parametrize(
    ("name", "shown"), [("=SUM(A1)", "'=SUM(A1)"), ("@x", "'@x"), ("-1", "-1"), ("+0.5", "+0.5"), ("cat", "cat")]
)
def test_no_class_name_in_a_table_is_a_formula(name: str, shown: str) -> None:
    assert as_text(name) == shown
