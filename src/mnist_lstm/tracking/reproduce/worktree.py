"""The code of a recorded run, in a temporary worktree of git."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mnist_lstm import provenance
from mnist_lstm.core.kernel import library
from mnist_lstm.errors import UserError
from mnist_lstm.git import GitError, git


@contextmanager
def worktree(about: dict[str, Any], project: Path, folder: Path, allow_differences: bool) -> Iterator[Path]:
    """A worktree in `folder` with the commit and diff of a run's provenance `about`; removed at the end.

    Raises:
        UserError: if the record lacks them, or the result is not the run's code and `allow_differences` is false.
    """
    code, whole = about["git"], folder / "worktree"
    place = whole / (code.get("folder") or "")
    expect_complete(code, allow_differences)
    _git(project, "worktree", "add", "--detach", str(whole), code["commit"])
    try:
        if code["diff"]:
            within = [f"--directory={code['folder']}"] if code.get("folder") else []
            patch = code["diff"].encode(errors="surrogateescape")
            _git(whole, "apply", "--whitespace=nowarn", *within, input=patch)
        if not allow_differences:
            expect_code_of(about, place)
        get_kernel(place)
        yield place
    finally:
        _git(project, "worktree", "remove", "--force", str(whole))


def expect_complete(code: dict[str, Any], allow_differences: bool) -> None:
    """Checks that the record of a run's code, made by `provenance.code`, can make its files again."""
    if not code["commit"]:
        reason = f"git refused: {code['reason']}" if code.get("reason") else "it ran outside of git"
        raise UserError(f"--checkout needs the commit of the run, found none recorded: {reason}.")
    if len(code["diff"] or "") >= provenance.MOST_DIFF:
        raise UserError(
            "--checkout needs the run's complete diff, which was too large to be recorded; run without --checkout."
        )
    if code.get("redacted") and not allow_differences:
        lacks = f"{', '.join(code['withheld'])} may hold secrets" if code.get("withheld") else "its URLs had secrets"
        raise UserError(
            f"--checkout needs the run's complete diff, but {lacks}, which are not recorded; run without --checkout, "
            "or with --allow-differences."
        )


def expect_code_of(about: dict[str, Any], place: Path) -> None:
    """Checks that a worktree has the run's source and preset."""
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


def get_kernel(place: Path) -> None:
    """Gives code that git has checked out its compiled kernel: this one if its source is the same, else a new one."""
    source = place / "src" / "mnist_lstm" / "core" / "kernel" / library.SOURCE.name
    if not source.is_file():  # as in version 0.1
        return
    if source.read_bytes() != library.SOURCE.read_bytes():
        build = [sys.executable, "setup.py", "build_ext", "--inplace"]
        subprocess.run(build, cwd=place, capture_output=True, check=False)  # without a compiler, the run says so
        return
    for built in library.FOLDER.glob("_*.*so"):
        shutil.copy2(built, source.parent)


def _git(folder: Path, *arguments: str, input: bytes | None = None) -> None:  # noqa: A002
    try:
        git(folder, *arguments, input=input)
    except GitError as error:
        raise UserError(
            f"git {' '.join(arguments[:2])} must work for --checkout, found: {error.reason or 'no git repository'}"
        ) from None
