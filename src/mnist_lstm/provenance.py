"""Provenance of a run: code, environment, hardware and process, as plain values."""

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
MOST_DIFF = 1_000_000  # characters of the diff that are recorded
# Options for a diff that `git apply` takes, independent of the user's git settings
DIFF = ("diff", "--binary", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", "--no-relative", "--submodule=short")
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color")
DECIDING = ("conf", "src")  # folders whose untracked files may change results
PACKAGE = Path(__file__).parent
# Prefixes of the environment variables that decide threads and instructions, and so the last bits
VARIABLES = ("OMP_", "MKL_", "KMP_", "ONEDNN_", "DNNL_", "ATEN_", "TORCH_")


def code(project: Path) -> dict[str, Any]:
    """The digest of this package's source, the git commit, whether the tree is dirty, and the diff to the commit.

    The diff includes untracked files below conf/ and src/, except ignored ones and credentials. If users or passwords
    were removed from its URLs, "redacted" is true, as the diff then makes other files. Bytes that are not UTF-8 are
    surrogate escapes. Outside of a git repository, everything but the digest is None.
    """
    commit = _git(project, "rev-parse", "HEAD")
    changed = _git(project, "status", "--porcelain", "--untracked-files=normal")
    diff = _git(project, *DIFF, *PLAIN, "HEAD")
    complete = None if diff is None else diff + _new_files(project)
    recorded = complete and redacted(complete)
    return {
        "source_sha256": source_digest(PACKAGE),
        "commit": commit and commit.strip(),
        "dirty": None if changed is None else bool(changed),
        "diff": recorded and recorded[:MOST_DIFF],
        "redacted": None if complete is None else recorded != complete,
    }


def _new_files(project: Path) -> str:
    """A diff that adds the untracked files of the deciding folders."""
    listed = _git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", *DECIDING) or ""
    names = [name for name in listed.split("\0") if name and "credentials" not in Path(name).name]
    return "".join(_git(project, *DIFF, *PLAIN, "--no-index", "--", os.devnull, name) or "" for name in names)


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


def redacted(text: str) -> str:
    """The text without the user and password of each URL."""
    return re.sub(r"://[^/\s]+@", "://***@", text)


def process() -> dict[str, str]:
    """What identifies this process: host, boot, process id and start time."""
    me = psutil.Process()
    return {
        "host": platform.node(),
        "boot": _boot(),
        "pid": str(me.pid),
        "started": f"{me.create_time():.2f}",
    }


def is_dead(other: dict[str, str]) -> bool:
    """Whether a process, identified as by `process`, ran on this machine and has ended."""
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
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip() if boot_id.is_file() else f"{psutil.boot_time():.0f}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _git(project: Path, *arguments: str) -> str | None:
    """The output of git, not UTF-8 as surrogate escapes; None without git or a repository."""
    try:
        done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    differs = 1 if "--no-index" in arguments else 0  # exit code 1 means that the two files differ
    return done.stdout.decode(errors="surrogateescape") if done.returncode in (0, differs) else None
