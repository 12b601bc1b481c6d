"""Nothing lies in the project that does not belong there."""

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
ROOT = {
    *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"),
    *("Makefile", "pyproject.toml", "setup.py", "requirements.lock", ".ci", ".github", ".gitignore", ".editorconfig"),
    *(".pre-commit-config.yaml", ".telemetry"),
    *("conf", "data", "docs", "src", "tests", "benchmarks", "findings", "starter"),
}
KINDS = {
    *(".c", ".cff", ".css", ".html", ".j2", ".js", ".json", ".lock", ".md", ".png", ".py", ".pt", ".sh", ".svg"),
    *(".toml", ".yaml", ".yml"),
}
FIXTURES = {".jsonl", ".npz"}  # below tests/ alone: what an earlier version wrote
UNNAMED = {".gitignore", ".gitkeep", ".editorconfig", ".telemetry", "LICENSE", "Makefile", "run", "py.typed"}
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file of the repository, from the root."""
    if not (PROJECT / ".git").exists():
        pytest.skip("not in a git repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name]


def test_nothing_else_lies_at_the_root(tracked: list[Path]) -> None:
    assert {path.parts[0] for path in tracked} <= ROOT


def test_a_file_is_text_or_a_small_picture_or_checkpoint(tracked: list[Path]) -> None:
    there = [path for path in tracked if (PROJECT / path).is_file()]
    allowed = {path: KINDS | FIXTURES if path.parts[0] == "tests" else KINDS for path in there}
    assert not [path for path in there if path.suffix not in allowed[path] and path.name not in UNNAMED]
    assert not [path for path in there if (PROJECT / path).stat().st_size > MOST_BYTES]


def test_data_holds_no_file_that_a_run_made(tracked: list[Path]) -> None:
    assert {path.name for path in tracked if path.parts[0] == "data"} == {".gitkeep"}
