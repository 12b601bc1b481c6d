"""When MLflow's store does not answer: the exceptions of its client, and the errors that users see."""

import logging
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_lstm.errors import UserError
from mnist_lstm.redaction import redacted
from mnist_lstm.tracking.schema import SQLITE

logger = logging.getLogger(__name__)

# How MLflow's client words it that nothing answered
SILENCE = re.compile(r"failed with (timeout )?exception|error code (429|502|503|504)\b|database is locked")
# What SQLAlchemy puts before the reason
AUTOFLUSH = (
    "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush block if this flush is "
    "occurring prematurely)\n"
)
SLOW = 3.0  # seconds of silence before the warning
LATER = "The run continues and its results go to data/; `kedro sync-runs` sends to MLflow what is missing there"


class OutageError(UserError):
    """The store does not answer now, but may answer later."""


def outages() -> tuple[type[Exception], ...]:
    """Exceptions that MLflow's client raises if the store does not answer in time."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, RequestException)


def first_line(error: BaseException) -> str:
    """The error's first line that says what happened, without passwords."""
    return redacted(str(error).removeprefix(AUTOFLUSH).partition("\n")[0])


def answer(error: BaseException) -> str:
    """What MLflow did, as the end of a sentence about it: a refusal (401, 403, 404, 507) is an answer."""
    from mlflow.exceptions import MlflowException

    kind = "" if isinstance(error, MlflowException) else f"{type(error).__name__}: "
    did = "did not answer" if _is_silence(error) else "did not accept it"
    return f"{did}: {kind}{first_line(error)}"


def _is_silence(error: BaseException) -> bool:
    """Whether nothing answered, or only a proxy before a server that is away, or a database that is locked."""
    from requests import ConnectionError as Unreachable
    from requests import Timeout

    return isinstance(error, (Unreachable, Timeout)) or bool(SILENCE.search(str(error)))


def of_mlflow(error: BaseException | None) -> UserError | None:
    """The error of one line if MLflow's client caused this one, which a command met after the store had been opened."""
    if "mlflow" not in sys.modules:  # slow to import; it raised nothing
        return None
    from mlflow.exceptions import MlflowException

    while error is not None and not isinstance(error, MlflowException):
        error = error.__cause__
    return UserError(f"MLflow {answer(error)}. Repair it, or choose another store.") if error else None


@contextmanager
def warn_if_slow(seconds: float = SLOW) -> Iterator[None]:
    """Logs a warning if the context takes longer than this."""
    message = f"MLflow has not answered for {seconds:g} s. After a time-out of some seconds: {LATER}."
    warning = threading.Timer(seconds, logger.warning, [message])
    warning.daemon = True
    warning.start()
    try:
        yield
    finally:
        warning.cancel()


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Replaces the exceptions of the store's client by errors of one line.

    Raises:
        OutageError: if the store may answer later.
        UserError: if it cannot be used.
    """
    failures: tuple[type[Exception], ...] = (*outages(), OSError, sqlite3.Error, ImportError)  # of a driver
    try:
        yield
    except failures as error:
        is_folder = uri.startswith(SQLITE) and Path(uri.removeprefix(SQLITE)).is_dir()  # as Docker makes for a volume
        reason = "a folder in the place of its file; move it away" if is_folder else first_line(error)
        found = f"the MLflow store {redacted(uri)} must answer, found: {reason}"
        # A server that is absent or silent, or a database that another process locks, may answer later
        if _is_silence(error) if uri.startswith("http") else "database is locked" in str(error):
            raise OutageError(found) from None
        raise UserError(
            f"{found}. Repair it, choose another by MLFLOW_TRACKING_URI, or run without it: "
            "--params tracking.enabled=false."
        ) from None
