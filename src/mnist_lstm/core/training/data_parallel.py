"""Data-parallel training: each process computes gradients on its share of every batch."""

from dataclasses import dataclass

from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class DataParallel:
    """The rank of this process in data-parallel training.

    All shares have the same size, so the mean of their gradients is the gradient of the batch, and the curves equal
    those of one process up to rounding. Dropout is the exception: each share has the same pattern. All other work, such
    as validation, runs identically in every process.
    """

    rank: int = 0  # of this process, from 0
    world_size: int = 1  # number of processes; must divide the batch size

    def share(self, batch: Tensor) -> Tensor:
        """This process's share of a batch (N, ...)."""
        return batch[self.rank :: self.world_size] if self.world_size > 1 else batch

    def wrap(self, classifier: nn.Module) -> nn.Module:
        """The classifier; after `backward`, its gradients are the mean over all processes."""
        return DistributedDataParallel(classifier) if self.world_size > 1 else classifier

    def mean(self, value: Tensor) -> Tensor:
        """The mean over all processes, on every process."""
        if self.world_size > 1:
            value = value.clone()
            distributed.all_reduce(value)
            value /= self.world_size
        return value


SINGLE_PROCESS = DataParallel()
