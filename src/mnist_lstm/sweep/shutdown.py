"""How a sweep ends: with its true status in MLflow, also after an error, Ctrl-C or SIGTERM."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich import get_console

from mnist_lstm.sweep.study import Study


@contextmanager
def ended_with_status(study: Study) -> Iterator[None]:
    """Ends the study with its true status."""
    try:
        yield
    except BaseException as error:
        study.end_running("KILLED", "the sweep was stopped")
        if isinstance(error, Exception):
            study.end("FAILED", str(error))
        else:
            study.end("KILLED", type(error).__name__)
            get_console().print("The sweep was stopped; the same command continues it.", highlight=False)
        raise
    study.end("FINISHED")


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM ends the sweep as Ctrl-C does."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
