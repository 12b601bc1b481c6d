"""Where a run comes from: code, environment and hardware, as plain values."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("mnist_lstm", "torch", "numpy", "kedro", "kedro-datasets", "mlflow", "scikit-learn", "pandas", "pydantic")
MOST_DIFF = 1_000_000  # characters of the diff that are kept
# The diff that `git apply` takes, whatever the user's settings of git
DIFF = ("diff", "--binary", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", "--no-relative", "--submodule=short")
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")
DECIDING = ("conf", "src")  # folders whose new files decide what a run does
PACKAGE = Path(__file__).parent


def code(project: Path) -> dict[str, Any]:
    """The digest of this package's source, and the git commit, whether the tree differs from it, and the diff.

    The diff has the new files below conf/ and src/ too, but none that git ignores and no credentials: where users and
    passwords had to be taken out of its URLs, "redacted" says so, as it makes other files then. Its bytes that are not
    UTF-8 are Python's surrogate escapes. Outside of git all but the digest are null.
    """
    commit = _git(project, "rev-parse", "HEAD")
    changed = _git(project, "status", "--porcelain", "--untracked-files=normal")
    diff = _git(project, *DIFF, *PLAIN, "HEAD")
    whole = None if diff is None else diff + _new_files(project)
    shown = whole and redacted(whole)
    return {
        "source_sha256": source_digest(PACKAGE),
        "commit": commit and commit.strip(),
        "dirty": None if changed is None else bool(changed),
        "diff": shown and shown[:MOST_DIFF],
        "redacted": None if whole is None else shown != whole,
    }


def _new_files(project: Path) -> str:
    """What git does not know yet of the deciding folders, as a diff that makes it."""
    listed = _git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *DECIDING) or ""
    names = [name for name in listed.split("\0") if name and "credentials" not in Path(name).name]
    return "".join(_git(project, *DIFF, *PLAIN, "--no-index", "--", os.devnull, name) or "" for name in names)


def source_digest(package: Path) -> str:
    """SHA-256 over the name and content of each module of a package, the folder that it lies in."""
    sha = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        sha.update(f"{path.relative_to(package).as_posix()} {path.stat().st_size}\n".encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()


def environment(project: Path) -> dict[str, Any]:
    """Python, the packages that decide results, and the SHA-256 of the lock file."""
    lock = project / "requirements.lock"
    return {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
    }


def hardware() -> dict[str, Any]:
    """The machine, as far as it decides results: processor, its vector instructions, cores, graphics card."""
    import torch

    return {
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def command_line() -> str:
    """The command that started this process, without the program's folder and without passwords."""
    return redacted(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def redacted(text: str) -> str:
    """The text with the user and password of each URL taken out."""
    return re.sub(r"://[^/\s]+@", "://***@", text)


def process() -> dict[str, str]:
    """What tells this process from every other: host, its boot, process id and the process's start."""
    me = psutil.Process()
    return {
        "host": platform.node(),
        "boot": _boot(),
        "pid": str(me.pid),
        "started": f"{me.create_time():.2f}",
    }


def is_dead(other: dict[str, str]) -> bool:
    """Whether a process told by `process` ran on this machine and runs no more."""
    if other["host"] != platform.node():
        return False
    if other["boot"] != _boot():
        return True
    try:
        found = psutil.Process(int(other["pid"]))
        return found.status() == psutil.STATUS_ZOMBIE or f"{found.create_time():.2f}" != other["started"]
    except psutil.NoSuchProcess:
        return True


def _boot() -> str:
    identity = Path("/proc/sys/kernel/random/boot_id")
    return identity.read_text().strip() if identity.is_file() else f"{psutil.boot_time():.0f}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _git(project: Path, *arguments: str) -> str | None:
    """What git prints, byte for byte (others than UTF-8 as surrogate escapes), or None without git or a repository."""
    try:
        done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    differs = 1 if "--no-index" in arguments else 0  # the exit code by which git says that two files differ
    return done.stdout.decode(errors="surrogateescape") if done.returncode in (0, differs) else None
