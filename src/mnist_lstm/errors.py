"""The mistakes that a user can mend, told in one sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake of the user's, or a fault of a file or mirror.

    Its message is one sentence: what must hold, what was found, where, and what to do. The command line shows it
    without a traceback.
    """


class UnreachableError(UserError):
    """No mirror gave a file that is needed."""


class RunStopped(Exception):  # noqa: N818
    """A run that was ended before its time on purpose: no failure. Its message says why."""


def nearest(word: str, choices: Iterable[str], alike: float = 0.65) -> str:
    """A hint at the choice most like `word`: " (did you mean 'rows'?)", or nothing where none is.

    Args:
        word: what was found.
        choices: what may stand there.
        alike: the fraction of both that must be the same, but for upper and lower case.
    """
    folded = {choice.casefold(): choice for choice in choices}
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=alike)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def listed(names: Iterable[str]) -> str:
    """The names in order, as one reads them: "digits, kmnist or mnist"."""
    *others, last = sorted(names)
    return f"{', '.join(others)} or {last}" if others else last


def told(error: Exception) -> str:
    """What to say of an error where there is no room for a traceback."""
    return str(cause_for_user(error) or f"{type(error).__name__}: {error}")


def cause_for_user(error: BaseException | None) -> UserError | None:
    """The UserError that stands behind an error, if one does: Kedro wraps what a dataset raises in its own."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__
    return error
