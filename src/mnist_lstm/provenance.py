"""Provenance of a run: code, environment and hardware, as plain values."""

import hashlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from mnist_lstm.git import GitError, git
from mnist_lstm.redaction import may_hold_secrets, redacted, redacted_diff

PACKAGES = ("mnist_lstm", "torch", "numpy", "kedro", "kedro-datasets", "mlflow", "scikit-learn", "pandas", "pydantic")
MOST_DIFF = 1_000_000  # characters of the diff that are recorded
# Options for a diff that `git apply` takes, independent of the user's git settings
DIFF = (
    *("diff", "--binary", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", "--relative", "--submodule=short"),
    "--no-renames",  # so that each file stands under its own path alone
)
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")
DECIDING = ("conf", "src")  # folders whose untracked files may change results
PACKAGE = Path(__file__).parent
# Prefixes of the environment variables that decide threads and instructions, and so the last bits
VARIABLES = ("OMP_", "MKL_", "KMP_", "ONEDNN_", "DNNL_", "ATEN_", "TORCH_")


def code(project: Path) -> dict[str, Any]:
    """The digest of this package's source, and the git commit, whether files changed since, and the diff to it.

    All of the project's folder alone ("folder" is its path in the repository). The diff includes untracked files below
    conf/ and src/, except ignored ones. Files that may hold secrets are not in it; "withheld" lists those that differ
    from the commit. If any is withheld, or users or passwords were removed from URLs, "redacted" is true, as the diff
    then makes other files. Bytes that are not UTF-8 are surrogate escapes. Without a repository that has files of the
    project, everything but the digest is None; "reason" says why, where git refuses.
    """
    found: dict[str, Any] = dict.fromkeys(("commit", "dirty", "diff", "redacted", "folder", "withheld", "reason"))
    found["source_sha256"] = source_digest(PACKAGE)
    try:
        if git(project, "ls-files", "-z", "--", "."):
            found |= _compared_with_commit(project)
    except GitError as error:
        found["reason"] = error.reason
    return found


def _compared_with_commit(project: Path) -> dict[str, Any]:
    commit = git(project, "rev-parse", "--verify", "HEAD")
    changed = _names(git(project, *DIFF, "--name-only", "-z", "HEAD", "--", "."))
    new = _names(git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *DECIDING))
    withheld = sorted(name for name in changed + new if may_hold_secrets(name))
    without = [f":(exclude,literal){name}" for name in withheld]
    diff = git(project, *DIFF, *PLAIN, "HEAD", "--", ".", *without) + "".join(
        git(project, *DIFF, *PLAIN, "--no-index", "--", os.devnull, name) for name in new if name not in withheld
    )
    recorded = redacted_diff(diff)
    return {
        "commit": commit.strip(),
        "dirty": bool(git(project, "status", "--porcelain", "--untracked-files=normal", "--", ".")),
        "diff": recorded[:MOST_DIFF],
        "redacted": bool(withheld) or recorded != diff,
        "folder": git(project, "rev-parse", "--show-prefix").strip(),
        "withheld": withheld,
    }


def _names(listed: str) -> list[str]:
    return [name for name in listed.split("\0") if name]


def source_digest(package: Path) -> str:
    """SHA-256 over the name and content of every module below a package's folder."""
    sha = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        sha.update(f"{path.relative_to(package).as_posix()} {path.stat().st_size}\n".encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()


def environment(project: Path) -> dict[str, Any]:
    """What decides results of the software: versions of Python and packages, lock file, environment variables."""
    lock = project / "requirements.lock"
    return {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "variables": {name: redacted(os.environ[name]) for name in sorted(os.environ) if name.startswith(VARIABLES)},
    }


def hardware() -> dict[str, Any]:
    """What decides results of the machine: processor, vector instructions, cores, graphics card."""
    import torch

    from mnist_lstm.core.training.instructions import onednn_instructions

    return {
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),  # ATen's
        "onednn": onednn_instructions(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def command_line() -> str:
    """The command of this process, without the program's folder and passwords."""
    return redacted(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor()
