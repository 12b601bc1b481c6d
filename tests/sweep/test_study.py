"""Which study may be continued."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.processes import process
from mnist_lstm.sweep.study import SPECIFICATION, _expect_same
from mnist_lstm.tracking import tags

SPECIFIED = {"--grid model.cell": ["lstm"]}


def recorded(status: str, by: dict[str, str]) -> Any:
    """A study's run that a process left with a status."""
    return SimpleNamespace(
        info=SimpleNamespace(status=status),
        data=SimpleNamespace(tags={SPECIFICATION: json.dumps(SPECIFIED), tags.PROCESS: json.dumps(by)}),
    )


@pytest.mark.parametrize(("status", "alive"), [("RUNNING", False), ("KILLED", True), ("FINISHED", False)])
def test_a_study_that_nobody_runs_is_continued(status: str, alive: bool) -> None:
    _expect_same(recorded(status, process() | ({} if alive else {"started": "before"})), "study", SPECIFIED)


@pytest.mark.parametrize(
    ("status", "cell", "found"), [("RUNNING", "lstm", "is running, in process"), ("KILLED", "gru", "is another one")]
)
def test_a_study_that_another_process_runs_or_of_something_else_is_not_continued(
    status: str, cell: str, found: str
) -> None:
    with pytest.raises(UserError, match=found):
        _expect_same(recorded(status, process()), "study", {"--grid model.cell": [cell]})
