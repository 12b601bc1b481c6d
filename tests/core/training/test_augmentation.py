"""Moved images, compared with what numpy and scipy make of them."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from mnist_lstm.core.data.sequences import VIEWS, pixel_order_for, to_images, to_sequences
from mnist_lstm.core.training.augmentation import Augmentation, any_augmentation
from mnist_lstm.parameters import AugmentationParameters
from tests.conftest import read_by
from tests.core.conftest import needs_kernel

NONE = dict.fromkeys(AugmentationParameters.model_fields, 0.0) | {"elastic_sigma": 4.0}
ALL = NONE | {"rotation": 20.0, "scale": 0.2, "shear": 0.2, "shift": 2.0, "elastic": 1.0, "elastic_sigma": 2.0}
HEIGHT, WIDTH = 20, 16


def augmentation(
    how: dict[str, float],
    view: str = "rows",
    size: tuple[int, int] = (HEIGHT, WIDTH),
    seed: int = 1,
    portable: bool = False,
) -> Augmentation:
    settings = AugmentationParameters(**(NONE | how))
    return Augmentation(settings, seed, pixel_order_for(read_by(view), *size), size, torch.device("cpu"), portable)


def blobs(count: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint8]:
    """Smooth images, so that a little interpolation changes little."""
    noise = np.random.default_rng(0).random((count, *size))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2), mode="constant")
    return np.asarray(255 * smooth / smooth.max(), np.uint8)


def moved(images: NDArray[np.uint8], how: dict[str, float], update: int = 1, seed: int = 1) -> NDArray[np.uint8]:
    _, height, width = images.shape
    return augmentation(how, size=(height, width), seed=seed)(torch.from_numpy(images), update).numpy()


class Fixed:
    """Draws these numbers, of rotation, scale, shear, and shift across and down, for each image."""

    def __init__(self, *numbers: float):
        self._numbers = numbers

    def uniform(self, low: float, high: float, shape: tuple[int, int]) -> NDArray[np.float64]:
        return np.repeat(np.array(self._numbers)[:, None], shape[1], axis=1)


def moved_by(images: NDArray[np.uint8], how: dict[str, float], *numbers: float) -> NDArray[np.float32]:
    _, height, width = images.shape
    random: Any = Fixed(*numbers)
    return augmentation(how, size=(height, width)).moved(torch.from_numpy(images.astype(np.float32)), random).numpy()


@pytest.mark.parametrize("key", ["rotation", "scale", "shear", "shift", "elastic"])
def test_each_setting_moves_images_and_settings_of_zero_are_no_augmentation(key: str) -> None:
    assert not any_augmentation(AugmentationParameters(**NONE))
    assert any_augmentation(AugmentationParameters(**(NONE | {key: ALL[key]})))
    assert not np.array_equal(moved(blobs(3), {key: ALL[key]}), blobs(3))


def test_dropout_of_pixels_erases_its_share_anew_for_each_update_and_moves_nothing() -> None:
    settings = AugmentationParameters(**NONE | {"pixel_dropout": 0.3})
    assert any_augmentation(settings)
    images = np.random.default_rng(0).integers(1, 256, (200, HEIGHT, WIDTH), np.uint8)
    sequences = torch.from_numpy(to_sequences(images, pixel_order_for(read_by("rows"), HEIGHT, WIDTH)))
    for portable in (False, True):
        erased = [augmentation({"pixel_dropout": 0.3}, portable=portable)(sequences, update) for update in (1, 1, 2)]
        seen = [each != 0 for each in erased]
        assert torch.equal(erased[0], torch.where(seen[0], sequences, 0))
        assert torch.equal(seen[0], seen[1])
        assert 0.1 < (seen[0] != seen[2]).float().mean() < 0.9
        assert float(seen[0].float().mean()) == pytest.approx(0.7, abs=0.02)
        assert torch.equal(seen[0].float().mean((1, 2)) > 0.3, torch.ones(len(images), dtype=torch.bool))


def test_a_pixel_that_a_view_reads_twice_is_erased_in_both_places() -> None:
    images = np.full((50, HEIGHT, WIDTH), 9, np.uint8)
    order = pixel_order_for(read_by("rows_and_columns"), HEIGHT, WIDTH)
    erased = augmentation({"pixel_dropout": 0.5}, "rows_and_columns")(torch.from_numpy(to_sequences(images, order)), 1)
    twice = erased.flatten(1)[:, np.argsort(order.ravel(), kind="stable")].view(50, -1, 2)
    assert torch.equal(twice[..., 0], twice[..., 1])
    assert 0.4 < float((twice == 0).float().mean()) < 0.6


@given(height=st.integers(3, 9), width=st.integers(3, 9), view=st.sampled_from(sorted(VIEWS)))
def test_movements_of_zero_keep_every_pixel_of_any_size_and_view(height: int, width: int, view: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8)
    pixel_order = pixel_order_for(read_by(view), height, width)
    sequences = torch.from_numpy(to_sequences(images, pixel_order))
    torch.testing.assert_close(augmentation({}, view, (height, width))(sequences, 1), sequences, rtol=0, atol=0)


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_the_images_move_alike_whatever_the_view(view: str) -> None:
    images, pixel_order = blobs(4), pixel_order_for(read_by(view), HEIGHT, WIDTH)
    sequences = augmentation(ALL, view)(torch.from_numpy(to_sequences(images, pixel_order)), 7)
    np.testing.assert_array_equal(to_images(sequences.numpy(), pixel_order, HEIGHT, WIDTH), moved(images, ALL, 7))


def test_a_shift_moves_whole_pixels_and_brings_in_paper() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, HEIGHT, WIDTH), np.uint8)
    expected = np.zeros_like(images)
    expected[:, 1:, :-2] = images[:, :-1, 2:]
    # read 2 pixels further right and 1 further up
    np.testing.assert_allclose(moved_by(images, {"shift": 2.0}, 0, 0, 0, 1, -0.5), expected, atol=1e-3)


def test_a_rotation_by_a_right_angle_is_exact() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 9), np.uint8)
    found = moved_by(images, {"rotation": 90.0}, 1, 0, 0, 0, 0)
    np.testing.assert_allclose(found, np.rot90(images, axes=(1, 2)), atol=1e-3)


@pytest.mark.parametrize(
    ("draws", "matrix"),
    [
        ((1, 0, 0), [[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]]),
        ((0, 1, 0), [[1 / 1.2, 0], [0, 1 / 1.2]]),
        ((0, 0, 1), [[1, 0], [0.2, 1]]),
    ],
    ids=["rotation", "scale", "shear"],
)
def test_a_movement_is_scipys(draws: Any, matrix: Any) -> None:
    images, middle = blobs(2), np.array([HEIGHT - 1, WIDTH - 1]) / 2
    how: dict[str, Any] = {"order": 1, "mode": "grid-constant", "offset": middle - np.array(matrix) @ middle}
    expected = [ndimage.affine_transform(image.astype(float), matrix, **how) for image in images]
    found = moved_by(images, {"rotation": np.degrees(0.3), "scale": 0.2, "shear": 0.2}, *draws, 0, 0)
    np.testing.assert_allclose(found, expected, atol=1e-2)


@pytest.mark.parametrize("portable", [False, pytest.param(True, marks=needs_kernel)])
def test_elastic_distortion_moves_pixels_by_its_strength_and_smoothly(portable: bool) -> None:
    def field_of(sigma: float) -> Any:
        elastic = augmentation({"elastic": 1.5, "elastic_sigma": sigma}, size=(40, 30), portable=portable)
        return elastic._elastic(np.random.default_rng(0), 500)

    fields = [field_of(sigma) for sigma in (2.0, 4.0)]
    for field in fields:
        assert field.shape == (500, 40, 30, 2)
        assert float(field.square().mean().sqrt()) == pytest.approx(1.5, rel=0.03)
        assert float(field[:, 0, 0].square().mean().sqrt()) == pytest.approx(1.5, rel=0.1)
        assert float(field.mean(0).abs().mean()) < 0.1  # another one for each image
        assert abs(float((field[..., 0] * field[..., 1]).mean())) < 0.1  # and for each axis
    for axis in (1, 2):
        rough, smooth = (float(field.diff(dim=axis).abs().mean()) for field in fields)
        assert smooth < 0.6 * rough


@pytest.mark.parametrize("other", [{"update": 6}, {"seed": 2}])
def test_the_movement_follows_from_seed_and_update_alone(other: dict[str, int]) -> None:
    first = moved(blobs(3), ALL, update=5, seed=1)
    np.testing.assert_array_equal(moved(blobs(3), ALL, update=5, seed=1), first)
    assert not np.array_equal(moved(blobs(3), ALL, **({"update": 5, "seed": 1} | other)), first)


def test_each_image_of_a_batch_moves_its_own_way() -> None:
    one, other = moved(np.repeat(blobs(1), 2, axis=0), ALL)
    assert not np.array_equal(one, other)


def test_no_other_random_numbers_are_drawn() -> None:
    def drawn(move: bool) -> tuple[float, float]:
        np.random.seed(0)
        torch.manual_seed(0)
        if move:
            moved(blobs(3), ALL)
        return np.random.random(), float(torch.rand(1))

    assert drawn(move=True) == drawn(move=False)
