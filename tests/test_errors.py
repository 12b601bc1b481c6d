import numpy as np
import pytest
import torch

from mnist_lstm.errors import UnreachableError, UserError, cause_for_user, listed, nearest


@pytest.mark.parametrize(
    ("word", "meant"), [("row", "rows"), ("MNIST", "mnist"), ("Trian", "train"), ("test", None), ("xyz", None)]
)
def test_the_nearest_choice_of_any_case_is_hinted_at_unless_it_is_far_off(word: str, meant: str | None) -> None:
    assert nearest(word, ["mnist", "train", "ingest", "columns", "rows"]) == (
        f" (did you mean {meant!r}?)" if meant else ""
    )
    assert nearest(word, []) == ""


@pytest.mark.parametrize(
    ("names", "text"), [(["mnist"], "mnist"), (["mnist", "digits"], "digits or mnist"), (["c", "a", "b"], "a, b or c")]
)
def test_names_are_listed_in_order_as_one_reads_them(names: list[str], text: str) -> None:
    assert listed(names) == text
    assert listed(dict.fromkeys(names)) == text


def wrapped(error: Exception, times: int) -> Exception:
    """The error as Kedro gives it on: raised from, so many times over."""
    for _ in range(times):
        outer = RuntimeError("Kedro says so")
        outer.__cause__ = error
        error = outer
    return error


@pytest.mark.parametrize("times", [0, 1, 3])
def test_the_users_mistake_is_found_behind_other_errors(times: int) -> None:
    mistake = UnreachableError("no mirror answers")
    assert cause_for_user(wrapped(mistake, times)) is mistake


def test_of_two_mistakes_the_one_told_last_counts() -> None:
    inner, outer = UserError("a file is damaged"), UserError("delete it")
    outer.__cause__ = inner
    assert cause_for_user(wrapped(outer, 1)) is outer


def test_an_error_of_the_programs_own_is_no_mistake_of_the_users() -> None:
    assert cause_for_user(wrapped(ValueError("a bug"), 2)) is None


def cannot_load() -> None:
    raise ImportError("_backend_agg.so: failed to map segment from shared object")


NO_MEMORY = {"numpy": lambda: np.empty(2**55), "torch": lambda: torch.empty(2**58), "the system": cannot_load}


@pytest.mark.parametrize("library", NO_MEMORY)
def test_too_little_memory_is_told_to_the_user_in_one_line(library: str) -> None:
    with pytest.raises((MemoryError, RuntimeError, ImportError)) as raised:
        NO_MEMORY[library]()
    found = str(cause_for_user(wrapped(raised.value, 2)))
    assert found.startswith("the run must fit into memory, found: ")
    assert "\n" not in found


def test_a_mistake_dealt_with_before_another_error_does_not_hide_it() -> None:
    error = ValueError("a bug")
    error.__context__ = UserError("dealt with")
    assert cause_for_user(error) is None
