"""Errors that a user can fix, each shown as one line."""

import re
import socket
from collections.abc import Iterable
from difflib import get_close_matches

# As torch words it for processors and graphics cards, and the system where it loads a library
NO_MEMORY = re.compile("can't allocate memory|out of memory|failed to map segment|[Cc]annot allocate memory")
ALIKE = 0.65  # fraction of a word that must match


class UserError(Exception):
    """A user's mistake, a damaged file or a mirror that fails.

    Its message is one sentence: what must hold, what was found, where, and what to do. The command line shows it
    without a traceback. Any function may raise it for what it is given or reads.
    """


class UnreachableError(UserError):
    """No mirror delivered a required file."""


class RunStopped(Exception):  # noqa: N818
    """A run was ended early on purpose, which is not a failure. The message says why."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint at the most similar choice, " (did you mean 'rows'?)", or "" if none is similar; case does not count."""
    folded = {choice.casefold(): choice for choice in choices}
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=ALIKE)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def listed(names: Iterable[str]) -> str:
    """The names sorted, in a phrase: "digits, kmnist or mnist"."""
    *others, last = sorted(names)
    return f"{', '.join(others)} or {last}" if others else last


def cause_for_user(error: BaseException | None) -> UserError | None:
    """The UserError that caused an error, if any: Kedro wraps what a dataset raises in its own errors.

    So is what numpy and torch raise if there is not enough memory.
    """
    while error is not None and not isinstance(error, UserError):
        if isinstance(error, MemoryError) or (
            isinstance(error, (RuntimeError, ImportError, OSError)) and NO_MEMORY.search(str(error))
        ):
            found = str(error).partition("\n")[0]
            return UserError(
                f"the run must fit into memory, found: {found}; choose smaller values, as of model.hidden_size, "
                "training.batch_size or evaluation.batch_size, or raise the limit (`ulimit -v`)."
            )
        error = error.__cause__
    return error


def expect_free_port(port: int) -> None:
    """Checks that no other program listens at this port of the machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(f"port {port} must be free, found another program there; choose one by --port.") from None
