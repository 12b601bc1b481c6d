"""Which process writes a run, and whether it is still alive."""

import os
import platform
from pathlib import Path

import psutil


def process() -> dict[str, str]:
    """What identifies this process: host, boot, namespace of process ids, process id and start time."""
    return {
        "host": platform.node(),
        "boot": _boot(),
        "namespace": _namespace(),
        "pid": str(os.getpid()),
        "started": started(os.getpid()),
    }


def is_dead(other: dict[str, str]) -> bool:
    """Whether a process, identified as by `process`, ran on this machine and has ended.

    A process in another namespace (of a container, say) cannot be seen from here, so it counts as alive until the
    machine starts again. Version 0.1.0 recorded no namespace, and a start time that moves with the clock: there a
    process with this id counts as alive.
    """
    if other["host"] != platform.node():
        return False
    if other["boot"] != _boot():
        return True
    if other.get("namespace", _namespace()) != _namespace():
        return False
    try:
        if psutil.Process(int(other["pid"])).status() == psutil.STATUS_ZOMBIE:
            return True
        return "namespace" in other and started(int(other["pid"])) != other["started"]
    except psutil.NoSuchProcess:
        return True


def started(pid: int) -> str:
    """When a process started, in clock ticks since the boot, which steps of the clock do not move (Linux), or in s.

    Raises:
        psutil.NoSuchProcess: if there is no such process.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return f"{psutil.Process(pid).create_time():.2f}"
    return status.rpartition(")")[2].split()[19]  # field 22 of proc(5); the program's name may hold spaces


def _boot() -> str:
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip() if boot_id.is_file() else f"{psutil.boot_time():.0f}"


def _namespace() -> str:
    """The namespace of process ids, empty where the system has none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
