"""What runs the trials of a sweep: a pool of processes on this machine, or a Ray cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from mnist_lstm.sweep.base_parameters import Common
from mnist_lstm.sweep.local_pool import Answer, Job, Pool
from mnist_lstm.sweep.study import Point
from mnist_lstm.tracking import store


class Engine(Protocol):
    """What runs trials: a pool of processes here, or a cluster."""

    def run(
        self, take: Callable[[], Job | None], watch: Callable[[Job, list[Point]], int | None]
    ) -> Iterator[tuple[Job, Answer]]:
        """Takes trials as it has room for them, shows their curves to `watch`, and yields each with its answer."""
        ...


def engine_of(
    name: str, common: Common, address: str | None, trials: int, pool: Pool
) -> AbstractContextManager[Engine]:
    """The engine of that name, "local" or "ray", for so many trials at once; `pool` is the local one.

    Raises:
        UserError: if there is no cluster at `address`.
    """
    if name == "local":
        return nullcontext(pool)
    from mnist_lstm.sweep.ray_pool import Cluster

    uri = store.tracking_uri(common.project, common.settings.server.mlflow_tracking_uri)
    return Cluster(common.project, address, uri, trials)
