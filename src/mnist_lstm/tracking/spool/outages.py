"""When MLflow's store does not answer: what its client raises then, and how people are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from mnist_lstm.errors import UserError
from mnist_lstm.provenance import redacted


class OutageError(UserError):
    """The store does not answer now, and may do so later."""


def outages() -> tuple[type[Exception], ...]:
    """What MLflow's client raises where the store does not answer, or not in time."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, RequestException)


def first_line(error: BaseException) -> str:
    """The error's first line, without a password."""
    return redacted(str(error).partition("\n")[0])


@contextmanager
def reached(uri: str) -> Iterator[None]:
    """Tells in one line what the store's client raises here.

    Raises:
        OutageError: if the store may answer later.
        UserError: if it cannot be used.
    """
    failures: tuple[type[Exception], ...] = (*outages(), OSError)
    try:
        yield
    except failures as error:
        reason = first_line(error)
        if _is_outage(uri, error):
            raise OutageError(f"the MLflow store {redacted(uri)} must answer, found: {reason}") from None
        raise UserError(
            f"the MLflow store {redacted(uri)} must answer, found: {reason}. Mend it, name another by "
            "MLFLOW_TRACKING_URI, or run without: --params tracking.enabled=false."
        ) from None


def _is_outage(uri: str, error: Exception) -> bool:
    """Whether the store may answer later: no server there or a silent one, or a database that another holds locked."""
    from mlflow.exceptions import RestException

    if uri.startswith("http"):
        return not isinstance(error, RestException)
    return "database is locked" in str(error)
