"""Every mistake ends in one line that names it, with an exit code and without a traceback, and nothing is written."""

from pathlib import Path

import pytest

from tests.bad_input import Mistake
from tests.bad_input.commands import LINES
from tests.bad_input.configuration import CONFIGURATION
from tests.bad_input.idx_files import IDX
from tests.bad_input.models import MODELS
from tests.bad_input.pictures import PICTURES
from tests.bad_input.values import VALUES
from tests.support.projects import Project

MISTAKES: dict[str, Mistake] = VALUES | LINES | CONFIGURATION | IDX | MODELS | PICTURES


def written(project: Project) -> dict[Path, tuple[int, int]]:
    """When each file below data/ and conf/ was written, and its size; locks are none."""
    files = [path for name in ("data", "conf") for path in (project.path / name).rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.suffix != ".lock"}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(
    what: str, project: Project, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mistake = MISTAKES[what]
    if mistake.after_a_run:
        finished: Project = request.getfixturevalue("finished")
        project = finished.copied_to(tmp_path_factory.mktemp("after"))
    mistake.change(project)
    before = written(project)
    done = project.call(*mistake.command)
    assert done.exit_code != 0, done.output
    assert "Traceback" not in done.output
    assert done.output, f"it raised {done.exception!r}"
    last = done.output.splitlines()[-1]
    assert last.startswith("Error: "), f"it raised {done.exception!r} after {done.output}"
    assert [name for name in mistake.names if name not in last] == [], last
    assert mistake.later or written(project) == before


def test_the_table_is_long() -> None:
    assert len(MISTAKES) >= 400
