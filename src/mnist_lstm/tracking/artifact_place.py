"""Whether this process can write where MLflow keeps the files of a run, which its server may only name."""

import logging
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from mnist_lstm.redaction import redacted

logger = logging.getLogger(__name__)
CLIENTS = {"s3": "boto3", "gs": "google.cloud.storage"}  # the package that writes to an address


def warn_if_unwritable(uri: str) -> None:
    """Logs before training that files will not arrive at this address of a run; a server's own is not tried."""
    if reason := _reason(uri):
        logger.warning(
            "MLflow keeps the files of this run in %s, %s. Training goes on; mend that meanwhile, or the figures and "
            "the model wait in data/unsent for `kedro sync-runs`.",
            redacted(uri),
            reason,
        )


def _reason(uri: str) -> str:
    """Why nothing can be written there; empty if it can, or that cannot be known."""
    scheme = urlsplit(uri).scheme
    if scheme in CLIENTS:
        return "" if _is_installed(CLIENTS[scheme]) else f"which needs the package {CLIENTS[scheme]}, found none"
    if scheme not in ("", "file"):
        return ""
    from mlflow.utils.file_utils import local_file_uri_to_path

    place = Path(local_file_uri_to_path(uri))  # type: ignore[no-untyped-call]
    there = next(each for each in (place, *place.parents) if os.path.exists(each))  # of what may not be seen, no
    writable = os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK)
    return "" if writable else f"and this process cannot write to {there}"


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package around it
        return False
