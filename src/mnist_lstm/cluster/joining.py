"""Being part of a Ray cluster for a while."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mnist_lstm.errors import UserError

PACKAGE = Path(__file__).parents[1]
PATIENCE = 5  # seconds for a cluster to answer; Ray itself would ask for minutes


@contextmanager
def joined(address: str | None, **environment: Any) -> Iterator[None]:
    """Joins a cluster, whose nodes get this package.

    Args:
        address: of the cluster; None means RAY_ADDRESS's or, without that, one that is started on this machine.
        environment: what else Ray's `runtime_env` is to hold.

    Raises:
        UserError: if there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where = expect_cluster(address)
    try:
        ray.init(
            where or "local",
            runtime_env={"py_modules": [str(PACKAGE)]} | environment,
            log_to_driver=False,
            logging_level="error",
            **({} if where else {"include_dashboard": False}),
        )
    except (ConnectionError, ray.exceptions.AuthenticationError) as error:
        raise _missing(where, error) from None
    try:
        yield
    finally:
        ray.shutdown()  # which ends what still runs


def expect_cluster(address: str | None) -> str | None:
    """The address of the cluster that is meant, None for one that is to be started here.

    Raises:
        UserError: if nothing answers there.
    """
    where = address or os.environ.get("RAY_ADDRESS")
    host, _, port = (where or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), PATIENCE).close()
        except OSError as error:
            raise _missing(where, error) from None
    return where


def _missing(where: str | None, error: Exception) -> UserError:
    token = "token" in str(error).lower() or isinstance(error, ray.exceptions.AuthenticationError)
    hint = " (RAY_AUTH_MODE=disabled on all machines leaves tokens out, see docs/cluster.md)" if token else ""
    return UserError(
        f"the address (--address, RAY_ADDRESS) must be that of a Ray cluster, found none at {where!r}: {error}{hint}"
    )


def local_actor(kind: type) -> Any:
    """An actor's class, to be made on this machine, so that it dies with this process and not with a node."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(kind)


def expect_room(cpus: int, gpus: int) -> None:
    """Checks that the cluster could ever run what needs so much; Ray would wait for it without a word."""
    found = ray.cluster_resources()
    processors, cards = int(found.get("CPU", 0)), int(found.get("GPU", 0))
    if processors < cpus or cards < gpus:
        raise UserError(
            f"the Ray cluster must have {cpus} processors and {gpus} graphics cards for this, found {processors} and "
            f"{cards}; lower training.workers or training.threads, or start more nodes."
        )
