import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from PIL import Image

from mnist_lstm.core.inference import decode as module
from mnist_lstm.core.inference.decode import PictureError, decode
from tests.support.picture_files import file_of

DIGIT = np.full((12, 9), 255, np.uint8)  # dark on light, and of another height than width
DIGIT[2:9, 4] = 0
DIGIT[2, 2:5] = 96


def converted(mode: str) -> Image.Image:
    return Image.fromarray(DIGIT).convert(mode)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *(("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("RGB", "BMP"), ("RGB", "TIFF")),
        *(("CMYK", "TIFF"), ("P", "GIF"), ("L", "WEBP"), ("P transparent", "GIF")),
    ],
)
def test_every_pixel_type_becomes_its_grey_value(mode: str, kind: str) -> None:
    picture = converted(mode.split()[0])
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    if "transparent" in mode:
        options["transparency"] = picture.getpixel((0, 0))
    assert np.abs(decode(file_of(picture, kind, **options)).astype(int) - DIGIT).max() <= 1


def test_a_jpeg_is_nearly_what_was_saved_and_one_bit_is_black_and_white() -> None:
    found = decode(file_of(Image.fromarray(DIGIT.repeat(8, 0).repeat(8, 1)), "JPEG", quality=90))
    assert np.abs(found[4::8, 4::8].astype(int) - DIGIT).max() < 40
    assert_array_equal(decode(file_of(Image.fromarray(DIGIT > 128))), np.where(DIGIT > 128, 255, 0))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (DIGIT.astype(np.uint16) * 257, "PNG"),
        (DIGIT.astype(np.uint16) * 16, "PNG"),
        ((DIGIT / 255).astype(np.float32), "TIFF"),
        ((-3 + DIGIT / 255 * 903).astype(np.float32), "TIFF"),
    ],
    ids=["16 bits", "12 bits in a file of 16", "floats to 1", "floats from -3 to 900"],
)
def test_deep_pixels_are_stretched_from_darkest_to_brightest(values: NDArray[Any], kind: str) -> None:
    assert_array_equal(decode(file_of(Image.fromarray(values), kind)), DIGIT)


@pytest.mark.parametrize(("level", "shown"), [(0, 0), (700, 255), (65535, 255)])
def test_sixteen_bits_of_one_level_are_black_or_white(level: int, shown: int) -> None:
    found = decode(file_of(Image.fromarray(np.full((3, 4), level, np.uint16))))
    assert_array_equal(found, np.full((3, 4), shown))


def test_colours_become_their_luma() -> None:
    found = decode(file_of(Image.new("RGB", (1, 1), (200, 100, 50))))
    assert found.item() == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


def with_alpha(colour: int, alpha: NDArray[np.uint8]) -> bytes:
    return file_of(Image.merge("LA", [Image.new("L", alpha.shape[::-1], colour), Image.fromarray(alpha)]))


def masked(grey: NDArray[np.uint8], shown: NDArray[Any]) -> Image.Image:
    """A picture that is transparent where it is not shown."""
    return Image.merge("LA", [Image.fromarray(grey), Image.fromarray(np.where(shown, 255, 0).astype(np.uint8))])


@pytest.mark.parametrize(("colour", "paper"), [(0, 255), (255, 0), (60, 255), (200, 0)])
def test_opaque_ink_on_nothing_gets_paper_unlike_itself(colour: int, paper: int) -> None:
    found = decode(with_alpha(colour, 255 - DIGIT))
    assert found[0, 0] == paper
    assert found[5, 4] == colour


@pytest.mark.parametrize("paper", [0, 255])
@pytest.mark.parametrize("colour", [0, 90, 255])
def test_where_the_paper_is_known_transparent_pixels_are_it(colour: int, paper: int) -> None:
    assert_array_equal(decode(with_alpha(colour, np.zeros((2, 3), np.uint8)), paper), np.full((2, 3), paper))
    mostly_ink = np.full((4, 4), 255, np.uint8)
    mostly_ink[0, 0] = 0
    assert decode(with_alpha(colour, mostly_ink), paper)[0, 0] == paper


def test_where_most_is_opaque_the_transparent_rest_looks_like_it() -> None:
    picture = masked(DIGIT, np.full_like(DIGIT, 1))
    picture.putpixel((0, 0), (0, 0))
    assert_array_equal(decode(file_of(picture)), DIGIT)


def test_paper_that_was_made_transparent_stays_paper_where_grey_edges_of_the_ink_are_most_of_the_rest() -> None:
    grey = np.full((20, 20), 255, np.uint8)
    grey[2:18, 2:18], grey[3:17, 3:17], grey[8:12, 8:12] = 250, 140, 0
    assert decode(file_of(masked(grey, grey != 255)))[0, 0] == 250


@pytest.mark.parametrize("paper", [255, 0])
def test_opaque_edges_of_the_ink_show_the_paper_that_was_made_transparent(paper: int) -> None:
    fading = np.full((20, 20), 255, np.uint8)
    for inset, shade in ((5, 235), (6, 190), (7, 150), (8, 90), (9, 40)):
        fading[inset:-inset, inset:-inset] = shade
    grey = fading if paper else 255 - fading
    assert decode(file_of(masked(grey, fading != 255)))[0, 0] == paper


STORED = [DIGIT, DIGIT[:, ::-1], DIGIT[::-1, ::-1], DIGIT[::-1]]
STORED += [DIGIT.T, DIGIT.T[::-1], DIGIT.T[::-1, ::-1], DIGIT.T[:, ::-1]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation - 1]))
    assert_array_equal(decode(file_of(stored, exif=exif.tobytes())), DIGIT)


def test_a_large_picture_is_averaged_down() -> None:
    found = decode(file_of(Image.new("L", (5000, 30), 7)))
    assert found.shape == (10, 1667)
    assert (found == 7).all()


def animation(frames: int, kind: str = "GIF") -> bytes:
    drawn = [Image.fromarray(np.roll(DIGIT, step, 1)) for step in range(frames)]
    return file_of(drawn[0], kind, save_all=True, append_images=drawn[1:])


def bomb() -> bytes:
    """A PNG of a few bytes that declares 60,000 x 60,000 pixels."""
    header = struct.pack(">II5B", 60000, 60000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


REFUSED = {
    "an empty file": (b"", "no picture that can be read"),
    "a text": (b"seven", "no picture that can be read"),
    "a PDF": (b"%PDF-1.7 and so on", "^a PDF: save its page as PNG"),
    "a HEIC photo": (b"\0\0\0\x18ftypheic and so on", "^a HEIC or AVIF photo: save it as JPEG"),
    "an AVIF photo": (b"\0\0\0\x1cftypavif and so on", "^a HEIC or AVIF photo: save it as JPEG"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'>", "^an SVG drawing: export it as PNG"),
    "an archive": (b"PK\3\4 and so on", "^an archive: unpack it"),
    "a tar archive": (b"digits/".ljust(257, b"\0") + b"ustar", "^an archive: unpack it"),
    "a web page": (b"<!DOCTYPE html>", "^a web page: download the file again"),
    "an animated WebP": (animation(3, "WEBP"), "3 pictures in one file"),
    "an animated PNG": (animation(3, "PNG"), "3 pictures in one file"),
    "pages of a TIFF": (animation(3, "TIFF"), "3 pictures in one file"),
    "an EPS, which would start another program": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture that can be read"),
    "half a file": (file_of(Image.effect_noise((200, 200), 60))[:9000], "damaged: "),
    "several pictures": (animation(3), "3 pictures in one file"),
    "a bomb": (bomb(), "pixels"),
    "no numbers": (file_of(Image.fromarray(np.full((5, 5), np.nan, np.float32)), "TIFF"), "no numbers"),
    "all transparent": (with_alpha(9, np.zeros((5, 5), np.uint8)), "blank: every pixel is transparent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_without_a_readable_picture_are_refused_with_the_reason(name: str) -> None:
    content, reason = REFUSED[name]
    with pytest.raises(PictureError, match=reason):
        decode(content)


def test_a_picture_of_too_many_pixels_is_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(converted("L"))
    monkeypatch.setattr(module, "MOST_PIXELS", 100)
    monkeypatch.setattr(Image.Image, "load", lambda picture: pytest.fail("decoded"))
    with pytest.raises(PictureError, match=r"9 x 12, more than 100 pixels"):
        decode(content)
