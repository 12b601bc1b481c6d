"""The code of a recorded run, in a temporary worktree of git."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnist_lstm import provenance
from mnist_lstm.errors import UserError


@contextmanager
def worktree(about: dict[str, Any], project: Path, folder: Path, allow_differences: bool) -> Iterator[Path]:
    """A worktree in `folder` with the commit and diff of a run's provenance `about`; removed at the end.

    Raises:
        UserError: if the record lacks them, or the result is not the run's code and `allow_differences` is false.
    """
    code, place = about["git"], folder / "worktree"
    if not code["commit"]:
        raise UserError("--checkout needs the commit of the run, found none recorded: it ran outside of git.")
    if len(code["diff"] or "") >= provenance.MOST_DIFF:
        raise UserError(
            "--checkout needs the run's complete diff, which was too large to be recorded; run without --checkout."
        )
    if code.get("redacted"):
        raise UserError(
            "--checkout needs the run's complete diff, but its URLs had a user or password, which are not recorded; "
            "run without --checkout."
        )
    _git(project, "worktree", "add", "--detach", str(place), code["commit"])
    try:
        if code["diff"]:
            _git(place, "apply", "--whitespace=nowarn", input=code["diff"].encode(errors="surrogateescape"))
        if not allow_differences:
            expect_code_of(about, place)
        yield place
    finally:
        _git(project, "worktree", "remove", "--force", str(place))


def expect_code_of(about: dict[str, Any], place: Path) -> None:
    """Checks that a worktree has the run's source and preset.

    Raises:
        UserError: if it lacks one of them.
    """
    preset, commit = about["preset"], about["git"]["commit"][:8]
    if preset and not (place / "conf" / preset).is_dir():
        raise UserError(
            f"--checkout needs the run's preset conf/{preset}, found none in commit {commit} nor in the recorded diff, "
            "as git did not know it; run without --checkout."
        )
    found, then = provenance.source_digest(place / "src" / "mnist_lstm"), about["git"]["source_sha256"]
    if found != then:
        raise UserError(
            f"--checkout needs the run's source {then[:8]}, found {found[:8]} in commit {commit} with the recorded "
            "diff: the run had files unknown to git, or another copy of the package; --allow-differences ignores that."
        )


def _git(project: Path, *arguments: str, input: bytes | None = None) -> None:  # noqa: A002
    done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, input=input)
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace").strip()
        raise UserError(f"git {' '.join(arguments[:2])} must work for --checkout, found: {message}")
