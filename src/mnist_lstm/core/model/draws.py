"""Random numbers for initial weights."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mnist_lstm.core.kernel.functions import logarithm, orthogonal


@dataclass
class Draws:
    """Random weights from one generator; portable ones are the same on every processor, as torch's normal ones are not.

    Source of the portable normal numbers: Marsaglia and Bray 1964, doi:10.1137/1006063.
    """

    generator: torch.Generator
    portable: bool = False

    def uniform(self, weight: Tensor, limit: float) -> None:
        """Fills a weight with numbers between -limit and limit."""
        if self.portable:  # without a fused multiply-add, which torch has on some processors
            weight.copy_((torch.rand(weight.shape, generator=self.generator) * 2 - 1) * limit)
        else:
            weight.uniform_(-limit, limit, generator=self.generator)

    def normal(self, weight: Tensor) -> None:
        """Fills a weight with numbers from N(0, 1)."""
        if not self.portable:
            weight.normal_(generator=self.generator)
            return
        found = np.empty(0)
        while len(found) < weight.numel():
            x, y = (torch.rand(2, weight.numel(), generator=self.generator, dtype=torch.float64) * 2 - 1).numpy()
            square = x * x + y * y
            inside = (square > 0) & (square < 1)
            found = np.append(found, x[inside] * np.sqrt(-2 * logarithm(square[inside]) / square[inside]))
        weight.copy_(torch.from_numpy(found[: weight.numel()]).view_as(weight))

    def orthogonal(self, weight: Tensor) -> None:
        """Fills a square weight with an orthogonal matrix, each as likely as any other."""
        if not self.portable:
            nn.init.orthogonal_(weight, generator=self.generator)
            return
        self.normal(weight)
        weight.copy_(torch.from_numpy(orthogonal(weight.double().numpy())))

    def log_uniform(self, count: int, highest: float) -> Tensor:
        """The logarithms of numbers between 1 and `highest`, (count,)."""
        if not self.portable:
            return torch.empty(count).uniform_(1, highest, generator=self.generator).log()
        numbers = torch.rand(count, generator=self.generator, dtype=torch.float64) * (highest - 1) + 1
        return torch.from_numpy(logarithm(numbers.numpy())).float()

    def logit_uniform(self, count: int, least: float) -> Tensor:
        """log(u / (1 - u)) of numbers u between `least` and 1 - `least`, (count,)."""
        if not self.portable:
            return torch.empty(count).uniform_(least, 1 - least, generator=self.generator).logit()
        numbers = torch.rand(count, generator=self.generator, dtype=torch.float64) * (1 - 2 * least) + least
        return torch.from_numpy(logarithm(numbers.numpy()) - logarithm(1 - numbers.numpy())).float()
