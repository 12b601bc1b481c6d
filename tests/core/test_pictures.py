import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_lstm.core.pictures import grey
from mnist_lstm.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF"])
def test_grey_pixels_are_read_as_they_are(kind: str) -> None:
    np.testing.assert_array_equal(grey(file(Image.fromarray(PIXELS), kind), "a", dark_on_light=False), PIXELS)


def test_dark_ink_on_light_paper_becomes_255_on_0() -> None:
    np.testing.assert_array_equal(grey(file(Image.fromarray(PIXELS)), "a", dark_on_light=True), 255 - PIXELS)


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "LA"])
def test_grey_in_another_mode_is_read_as_the_same_pixels(mode: str) -> None:
    content = file(Image.fromarray(PIXELS).convert(mode))
    np.testing.assert_allclose(grey(content, "a", dark_on_light=False), PIXELS, atol=1)


def test_colours_become_their_luma() -> None:
    content = file(Image.new("RGB", (1, 1), (200, 100, 50)))
    assert grey(content, "a", dark_on_light=False).item() == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


def test_16_bits_become_8() -> None:
    deep = PIXELS.astype(np.uint16) * 256 + 77
    np.testing.assert_array_equal(grey(file(Image.fromarray(deep)), "a", dark_on_light=False), PIXELS)


def test_one_bit_is_black_or_white() -> None:
    content = file(Image.fromarray(PIXELS > 100))
    np.testing.assert_array_equal(grey(content, "a", dark_on_light=False), (PIXELS > 100) * 255)


@pytest.mark.parametrize("dark_on_light", [False, True])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_paper(dark_on_light: bool, mode: str) -> None:
    content = file(Image.new("RGBA", (2, 2), (90, 90, 90, 0)).convert(mode))
    assert not grey(content, "a", dark_on_light).any()


def test_a_photo_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    content = file(Image.fromarray(PIXELS), exif=exif)
    np.testing.assert_array_equal(grey(content, "a", dark_on_light=False), PIXELS[::-1, ::-1])


def test_a_picture_is_stretched_to_height_and_width() -> None:
    assert grey(file(Image.fromarray(PIXELS)), "a", dark_on_light=True, size=(28, 14)).shape == (28, 14)


def frames() -> bytes:
    return file(Image.new("L", (2, 2), 0), "GIF", save_all=True, append_images=[Image.new("L", (2, 2), 255)])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "found no format that Pillow reads"),
        (b"no picture", "found no format that Pillow reads"),
        (file(Image.fromarray(PIXELS))[:80], "found none that can be read"),
        (frames(), "found 2 frames"),
        (file(Image.new("F", (2, 2), 0.5), "TIFF"), "mode 'F'"),
        (file(Image.new("CMYK", (2, 2)), "TIFF"), "mode 'CMYK'"),
        (file(Image.new("1", (9500, 9500))), "exceeds limit"),
    ],
    ids=["empty", "text", "cut short", "frames", "float", "CMYK", "too large"],
)
def test_what_is_no_picture_is_told_in_one_line_with_its_name(content: bytes, told: str) -> None:
    with pytest.raises(UserError, match=rf"^folder/a\.png must be .*{told}") as raised:
        grey(content, "folder/a.png", dark_on_light=False)
    assert "\n" not in str(raised.value)
