import gzip
import io
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from mnist_lstm.core.data import idx
from mnist_lstm.errors import UserError
from tests.support.idx import encode
from tests.support.mnist_run import needs_mnist, published

LABELS = np.array([7, 2, 1, 0], np.uint8)
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)

idx_arrays = st.sampled_from([1, 3]).flatmap(
    lambda axes: arrays(np.uint8, array_shapes(min_dims=axes, max_dims=axes, min_side=0, max_side=6))
)


def header(*shape: int) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def plain(array: NDArray[np.uint8]) -> bytes:
    return header(*array.shape) + array.tobytes()


def test_a_file_reads_and_is_written_as_the_formats_description_says() -> None:
    content = bytes.fromhex("00000803 00000002 00000001 00000003 0a0b0c 0d0e0f")
    assert_array_equal(idx.decode(content, "images"), [[[10, 11, 12]], [[13, 14, 15]]])
    assert gzip.decompress(encode(LABELS)) == bytes.fromhex("00000801 00000004 07020100")


@given(idx_arrays)
def test_what_is_encoded_decodes_to_itself_also_where_it_is_not_gzipped(array: NDArray[np.uint8]) -> None:
    for content in (encode(array), plain(array), gzip.compress(plain(array))):
        decoded = idx.decode(content, "it")
        assert decoded.flags.writeable  # torch warns of a tensor on memory that is not
        assert_array_equal(decoded, array, strict=True)


def test_the_same_array_gives_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = encode(IMAGES)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert encode(IMAGES) == now


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"", "early", id="empty"),
        pytest.param(gzip.compress(b""), "early", id="empty inside gzip"),
        pytest.param(plain(LABELS)[:6], "2 bytes early", id="cut in the header"),
        pytest.param(plain(LABELS)[:-1], "1 bytes early", id="cut in the values"),
        pytest.param(gzip.compress(plain(LABELS)[:-1]), "1 bytes early", id="cut before gzip"),
        pytest.param(gzip.compress(plain(IMAGES))[:-20], "early", id="cut in the packed values"),
        pytest.param(gzip.compress(plain(LABELS))[:-1], "cut short", id="cut in gzip's checksum"),
        pytest.param(gzip.compress(plain(LABELS))[:-8] + bytes(8), "complete gzip", id="wrong gzip checksum"),
        pytest.param(b"\x1f\x8bno gzip at all", "complete gzip", id="only gzip's first bytes"),
        pytest.param(plain(LABELS) + b"\0", "more bytes", id="more values"),
        pytest.param(gzip.compress(plain(LABELS) + b"\0"), "more bytes", id="more values inside gzip"),
        pytest.param(gzip.compress(plain(LABELS)) + b"\0", "more bytes", id="more bytes behind gzip"),
        pytest.param(gzip.compress(plain(LABELS)) * 2, "more bytes", id="two gzip files"),
        pytest.param(b"\0\1" + plain(LABELS)[2:], "00 01 08 01", id="wrong first bytes"),
        pytest.param(b"\0\0\x0d" + plain(LABELS)[3:], "00 00 0d 01", id="floats"),
        pytest.param(header(2, 2) + bytes(4), "00 00 08 02", id="two dimensions"),
        pytest.param(header(), "00 00 08 00", id="no dimensions"),
        pytest.param(b"<html>not found</html>", "3c 68 74 6d", id="a web page"),
        pytest.param(header(2**30 + 1), "damaged", id="a byte more than is believed"),
        pytest.param(header(*[2**32 - 1] * 3), "damaged", id="a product beyond 64 bits"),
        pytest.param(header(0, 2**32 - 1, 2**32 - 1), "", id="no images, each too large for numpy"),
        pytest.param(gzip.compress(header(2**30)), "early", id="a gigabyte declared, none there"),
    ],
)
def test_a_damaged_file_is_refused_by_name(content: bytes, found: str) -> None:
    with pytest.raises(UserError, match=f"^train-labels.gz .*{found}"):
        idx.decode(content, "train-labels.gz")


@pytest.mark.parametrize("shape", [(4,), (2**30,)], ids=["a small header", "a large one"])
def test_no_more_is_unpacked_than_the_header_declares_and_the_file_holds(shape: tuple[int, ...]) -> None:
    content = gzip.compress(header(*shape) + bytes(2**25), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(UserError):
        idx.decode(content, "a bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * min(shape[0], 2**25) + 2**20


@needs_mnist
def test_mnists_training_files_hold_the_published_digits() -> None:
    images, labels = published("train", "images"), published("train", "labels")
    assert images.shape == (60000, 28, 28)
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


@given(
    images=arrays(np.uint8, st.tuples(st.integers(0, 7), st.integers(1, 3), st.integers(1, 4))),
    count=st.integers(1, 4),
    zipped=st.booleans(),
)
def test_images_are_read_a_part_at_a_time(images: Any, count: int, zipped: bool) -> None:
    content = encode(images)
    parts = list(idx.images_in(io.BytesIO(content if zipped else gzip.decompress(content)), "it", count))
    assert [len(part) for part in parts[:-1]] == [count] * len(parts[:-1])
    assert sum(len(part) for part in parts) == len(images)
    if parts:
        assert_array_equal(np.concatenate(parts), images)


@pytest.mark.parametrize("cut", [-1, 20])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_cut_file_gives_what_it_holds_and_then_the_error(cut: int, zipped: bool) -> None:
    content = encode(np.arange(100, dtype=np.uint8).reshape(4, 5, 5))
    content = (content if zipped else gzip.decompress(content))[:cut]
    with pytest.raises(UserError, match="it"):
        list(idx.images_in(io.BytesIO(content), "it", 2))


def test_labels_are_no_images() -> None:
    with pytest.raises(UserError, match="must hold images"):
        list(idx.images_in(io.BytesIO(encode(np.zeros(5, np.uint8))), "it", 2))
