"""Random shift, rotation, scale, shear, elastic distortion and dropout of pixels of the images of each update."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from mnist_lstm.core.kernel.functions import cosine, exponential, sine
from mnist_lstm.core.kernel.layers import product
from mnist_lstm.core.kernel.updates import resample
from mnist_lstm.parameters import AUGMENTATIONS, MOVEMENTS, AugmentationParameters

Array = NDArray[np.float64]
Affine = tuple[Array, Array]

AUGMENTATION = 2  # separates this random stream from those of the initial weights and dropout


class Augmentation:
    """Augments the images behind a batch of sequences.

    The random numbers depend only on the seed and the update, so a resumed run needs no state for them.

    Args:
        settings: the largest changes; see `parameters.AugmentationParameters`.
        seed: of the random numbers.
        pixel_order: of the view, (T, F).
        size: height and width of an image, in pixels.
        device: of the batches.
        portable: whether the bits are the same on every processor.
    """

    def __init__(
        self,
        settings: AugmentationParameters,
        seed: int,
        pixel_order: NDArray[np.int64],
        size: tuple[int, int],
        device: torch.device,
        portable: bool = False,
    ):
        self._portable, self._moves = portable, any(getattr(settings, name) for name in MOVEMENTS)
        self._settings, self._seed, self._size, self._device = settings, seed, size, device
        self._pixel_order = torch.from_numpy(pixel_order.ravel()).to(device)
        _, first, self._places = np.unique(pixel_order.ravel(), return_index=True, return_inverse=True)
        self._places = first.argsort().argsort()[self._places]  # a pixel that the view reads twice has one place
        self._grid = _pixels(size).to(device)
        self._smoothing = [_smoothing(length, settings.elastic_sigma).to(device) for length in size]

    def __call__(self, sequences: Tensor, update: int) -> Tensor:
        """The sequences uint8 (N, T, F) of the augmented images for this update."""
        random = np.random.default_rng([self._seed, AUGMENTATION, update])
        moved = self._moved(sequences, random) if self._moves else sequences
        if not self._settings.pixel_dropout:
            return moved
        seen = random.random((len(moved), self._places.max() + 1), np.float32) >= self._settings.pixel_dropout
        return moved * torch.from_numpy(seen[:, self._places]).to(self._device).view_as(moved)

    def _moved(self, sequences: Tensor, random: np.random.Generator) -> Tensor:
        pixels = torch.empty(len(sequences), math.prod(self._size), dtype=torch.uint8, device=self._device)
        pixels[:, self._pixel_order] = sequences.flatten(1)
        images = pixels.view(-1, *self._size)
        if self._portable:
            affine = self._affine(random.uniform(-1, 1, (5, len(images))), sine, cosine)
            moved = resample(images, *affine, self._elastic(random, len(images)))
        else:
            moved = self.moved(images.float(), random).round().to(torch.uint8)
        return moved.flatten(1)[:, self._pixel_order].view_as(sequences)

    def moved(self, images: Tensor, random: np.random.Generator) -> Tensor:
        """Resampled images float32 (N, height, width); pixels from beyond the edges are zero."""
        height, width = self._size
        affine = self._affine(random.uniform(-1, 1, (5, len(images))), np.sin, np.cos)
        matrices, shifts = self._tensor(affine[0]), self._tensor(affine[1][:, None])
        places = self._grid @ matrices.mT + shifts  # (N, height * width, 2)
        places = places.view(-1, *self._size, 2)
        displacements = self._elastic(random, len(images))
        places = places if displacements is None else places + displacements
        places = places * 2 / torch.tensor([width, height], device=self._device)  # the edges are at -1 and 1
        return grid_sample(images[:, None], places, align_corners=False)[:, 0]

    def _affine(self, drawn: Array, sine: Callable[[Array], Array], cosine: Callable[[Array], Array]) -> Affine:
        """Matrices (N, 2, 2) and shifts (N, 2) in pixels, both in x and y, from random numbers (5, N) in [-1, 1]."""
        settings = self._settings
        angle, size = drawn[0] * math.radians(settings.rotation), 1 + drawn[1] * settings.scale
        shear = drawn[2] * settings.shear
        cos, sin = cosine(angle), sine(angle)
        matrices = np.array([[cos, shear * cos - sin], [sin, shear * sin + cos]]) / size  # rotation @ shear
        shifts = drawn[3:] * settings.shift
        return np.moveaxis(matrices, -1, 0), shifts.T

    def _elastic(self, random: np.random.Generator, count: int) -> Tensor | None:
        """Smooth displacements in pixels (count, height, width, 2), in x and y; None if the strength is zero.

        Source: Simard, Steinkraus and Platt 2003, doi:10.1109/ICDAR.2003.1227801. Here the strength is that of the
        smoothed displacements, so it does not depend on the smoothing. They are sums of uniform random numbers.
        """
        if not self._settings.elastic:
            return None
        (height, width), (down, across) = self._size, self._smoothing
        multiply = product if self._portable else torch.matmul
        noise = self._tensor(math.sqrt(3) * (2 * random.random((height, width * count * 2), np.float32) - 1))
        smooth = multiply(down, noise).view(height, width, -1).transpose(0, 1).reshape(width, -1)
        moves = self._settings.elastic * multiply(across, smooth).view(width, height, count, 2)
        return moves.permute(2, 1, 0, 3).contiguous()

    def _tensor(self, array: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self._device)


def any_augmentation(settings: AugmentationParameters) -> bool:
    """Whether any augmentation is on."""
    return any(getattr(settings, name) for name in AUGMENTATIONS)


def _pixels(size: tuple[int, int]) -> Tensor:
    """The x and y of each pixel's centre, relative to the middle of the image, in pixels, (height * width, 2)."""
    y, x = (torch.arange(length) - (length - 1) / 2 for length in size)
    return torch.cartesian_prod(y, x).flip(1)


def _smoothing(length: int, sigma: float) -> Tensor:
    """A Gaussian filter along one axis as a matrix (length, length) that preserves the variance of white noise."""
    place = np.arange(length)
    weights = exponential(-((place[:, None] - place) ** 2) / (2 * sigma**2))
    norms = np.sqrt(np.cumsum(weights**2, axis=1)[:, -1:])  # in one order
    return torch.from_numpy((weights / norms).astype(np.float32))
