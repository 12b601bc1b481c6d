"""What runs the trials of a sweep: a pool of processes on this machine, or a Ray cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from mnist_lstm.sweep.base_parameters import BaseParameters
from mnist_lstm.sweep.local_pool import Pool, Result, Task
from mnist_lstm.sweep.study import Point
from mnist_lstm.tracking import store


class Engine(Protocol):
    """What runs trials: a pool of processes here, or a cluster."""

    def run(
        self, take: Callable[[], Task | None], watch: Callable[[Task, list[Point]], int | None]
    ) -> Iterator[tuple[Task, Result]]:
        """Takes trials as it has room for them, shows their curves to `watch`, and yields each with its answer."""
        ...


def engine_of(
    name: str, base: BaseParameters, address: str | None, trials: int, pool: Pool
) -> AbstractContextManager[Engine]:
    """The engine of that name, "local" or "ray", for so many trials at once; `pool` is the local one.

    Raises:
        UserError: if there is no cluster at `address`.
    """
    if name == "local":
        return nullcontext(pool)
    from mnist_lstm.sweep.ray_pool import Cluster

    uri = store.tracking_uri(base.project, base.settings.server.mlflow_tracking_uri)
    return Cluster(base.project, address, uri, trials)
