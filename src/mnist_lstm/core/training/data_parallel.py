"""Processes that train one classifier together, each on its share of every batch."""

from dataclasses import dataclass

from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class DataParallel:
    """This process's place among those that train together.

    As all shares are equally large, the mean of their gradients is the gradient of the batch: the curve is that of one
    process to rounding, but for dropout, of which each share has the same pattern. What a process does besides, as
    validation, all do alike.

    Attributes:
        rank: of this process, from 0.
        world_size: how many they are; a batch must be a multiple of it.
    """

    rank: int = 0
    world_size: int = 1

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch (N, ...)."""
        return batch[self.rank :: self.world_size] if self.world_size > 1 else batch

    def wrap(self, classifier: nn.Module) -> nn.Module:
        """The classifier, whose gradients after `backward` are the mean of all processes'."""
        return DistributedDataParallel(classifier) if self.world_size > 1 else classifier

    def mean(self, value: Tensor) -> Tensor:
        """The mean over all processes, which each gets."""
        if self.world_size > 1:
            value = value.clone()
            distributed.all_reduce(value)
            value /= self.world_size
        return value


SINGLE_PROCESS = DataParallel()
