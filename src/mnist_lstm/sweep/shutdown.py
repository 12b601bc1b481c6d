"""How a sweep ends: with its true status in MLflow, whatever ends it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich import get_console

from mnist_lstm.sweep.study import Study


@contextmanager
def status_of(study: Study) -> Iterator[None]:
    """Ends the study with its true status."""
    try:
        yield
    except BaseException as error:
        study.end_running("KILLED", "the sweep was stopped")
        if isinstance(error, Exception):
            study.end("FAILED", str(error))
            raise
        study.end("KILLED", type(error).__name__)
        get_console().print("The sweep was stopped; the same command goes on from here.", highlight=False)
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
