"""Every mistake ends in one line that names it, and nothing is written.

Most are given to the function that refuses them; the rest, and one in twenty of those, to the command line.
"""

from pathlib import Path

import pytest

from mnist_lstm.errors import cause_for_user
from tests.bad_input import Mistake
from tests.bad_input.commands import LINES
from tests.bad_input.configuration import CONFIGURATION
from tests.bad_input.models import MODELS
from tests.support.projects import Project, copied

MISTAKES: dict[str, Mistake] = LINES | CONFIGURATION | MODELS


def written(project: Project) -> dict[Path, tuple[int, int]]:
    """When each file below data/ and conf/ was written, and its size; locks are none."""
    files = [path for name in ("data", "conf") for path in (project.path / name).rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.suffix != ".lock"}


BY_FUNCTION = [what for what, mistake in MISTAKES.items() if mistake.refused_by]
BY_COMMAND = [what for what in MISTAKES if what not in BY_FUNCTION] + BY_FUNCTION[::20]


@pytest.mark.parametrize("what", BY_FUNCTION)
def test_a_mistake_is_refused_by_an_error_that_names_it(what: str, tmp_path: Path) -> None:
    mistake, project = MISTAKES[what], copied(tmp_path)
    mistake.change(project)
    before = written(project)
    assert mistake.refused_by
    with pytest.raises(Exception) as raised:  # noqa: PT011  cause_for_user says which
        mistake.refused_by(project, mistake.command)
    error = cause_for_user(raised.value)
    assert error, f"it raised {raised.value!r}"
    assert [name for name in mistake.names if name not in str(error)] == [], str(error)
    assert "\n" not in str(error)
    assert written(project) == before


@pytest.mark.parametrize("what", BY_COMMAND)
def test_a_command_reports_a_mistake_in_one_line_and_writes_nothing(
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
