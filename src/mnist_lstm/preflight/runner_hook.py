"""Checks that nothing else computes in this process while a pipeline runs: no other run, and no second node."""

import threading
from typing import Any

from kedro.framework.hooks import hook_impl

from mnist_lstm.errors import UserError

ONLY = "SequentialRunner"
NO_ASYNC = (
    "--async must be left out: it saves datasets in other threads, and training saves each of its yields; it would end "
    "after the first generator node."
)


class CheckRunner:
    """Refuses runners that run nodes at once, and a run while another one goes on (`kedro server`).

    torch's random state and number of threads belong to the process, and an export switches oneDNN off for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None  # in which a run goes on

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Refuses before anything is recorded."""
        expect_runner(run_params["runner"])
        self._expect_alone()

    @hook_impl(tryfirst=True)
    def before_node_run(self, is_async: bool) -> None:
        """Claims the process, here and not before, as Kedro reports no error of `before_pipeline_run` to hooks."""
        if is_async:  # of a server, which the command line's check does not see
            raise UserError(NO_ASYNC)
        with self._lock:
            self._expect_alone()
            self._running = threading.current_thread()

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Releases the process."""
        if self._running is threading.current_thread():
            self._running = None

    on_pipeline_error = after_pipeline_run

    def _expect_alone(self) -> None:
        if self._running not in (None, threading.current_thread()) and self._running.is_alive():
            raise UserError("only one pipeline may run in a process, found another that goes on; wait until it ends.")


def expect_runner(runner: str) -> None:
    """Checks that the name of a runner, or Kedro's description of one, is that of the default ("None")."""
    if runner != "None" and ONLY not in runner:
        name = runner.partition(" object at")[0].rpartition(".")[2]
        raise UserError(
            f"--runner must be {ONLY}, not {name!r}: nodes that run at once change each other's results, as exporting "
            "the model switches oneDNN off for the process; leave it out."
        )
