"""Calls git on a project's own repository."""

import os
import subprocess
from pathlib import Path

TIMEOUT = 60  # seconds
# Variables that say what git may read; all others of git may name another repository, index or kind of pathspec
ALLOWED = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
NO_REPOSITORY = "not a git repository (or any"


class GitError(Exception):
    """Git did not do what was asked; `reason` says why, None if there is no repository or no commit."""

    def __init__(self, reason: str | None):
        super().__init__(reason)
        self.reason = reason


def git(folder: Path, *arguments: str, input: bytes | None = None) -> str:  # noqa: A002
    """The output of git in a folder; bytes that are not UTF-8 become surrogate escapes.

    Raises:
        GitError: if git is missing or fails.
    """
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, input=input, timeout=TIMEOUT, env=_environment())
    except FileNotFoundError:
        has_repository = any((path / ".git").exists() for path in (folder, *folder.absolute().parents))
        raise GitError("git is not installed" if has_repository else None) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git {arguments[0]} does not answer: {error}") from None
    differs = 1 if "--no-index" in arguments else 0  # exit code 1 means that the two files differ
    if done.returncode not in (0, differs):
        raise GitError(_reason(done.stderr.decode(errors="replace")))
    return done.stdout.decode(errors="surrogateescape")


def _reason(message: str) -> str | None:
    if NO_REPOSITORY in message or "Needed a single revision" in message:
        return None
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines).removeprefix("fatal: ") or "git failed without a message"


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(ALLOWED)
    }
    kept.pop("GIT_CONFIG_PARAMETERS", None)
    return kept | {"LC_ALL": "C"}  # the messages in English
