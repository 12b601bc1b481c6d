"""What has changed between a recorded run and this machine: code, packages, hardware and environment variables."""

from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm import provenance

CODE = ("commit", "dirty", "source_sha256")  # parts of the provenance of code that identify it
SKLEARN = ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")  # variables that scikit-learn sets when it is imported
MACHINE = ("hardware", "environment")  # kinds of differences that change no bit of a portable training


class Difference(NamedTuple):
    """One change."""

    kind: str  # "code", "packages", "hardware" or "environment"
    what: str  # key of the provenance
    then: Any
    now: Any


def refusal(found: list[Difference]) -> str:
    """Why a run cannot be reproduced, and what helps; empty if at most hardware and environment changed."""
    ways = {
        "code": "--checkout uses the run's own code",
        "packages": "install the run's versions (the table shows them, requirements.lock has all)",
    }
    changed = [kind for kind in ways if kind in {difference.kind for difference in found}]
    if not changed:
        return ""
    return (
        f"not reproduced, because the {' and the '.join(changed)} changed: "
        f"{'; '.join(ways[kind] for kind in changed)}; --allow-differences runs with the present ones."
    )


def show(found: list[Difference], what: str) -> None:
    """Prints the differences since a run as a table, or that there are none. What a record says is shown as text.

    The data are compared when they are read.
    """
    from rich import get_console
    from rich.markup import escape
    from rich.table import Table

    title = escape(f"Since {what}")
    if not found:
        get_console().print(f"{title}: code, packages and machine are the same.", highlight=False)
        return
    table = Table("", "what", "then", "now", title=title)
    for difference in found:
        table.add_row(*(escape("".join(filter(str.isprintable, str(field)))) for field in difference))
    get_console().print(table)


def drift(then: dict[str, Any], project: Path, portable: bool = False) -> list[Difference]:
    """Differences between a run's provenance and the present that may change its bits.

    Facts that older versions did not record have none; nor has the machine, if the training is portable.
    """
    now = _sections(provenance.code(project), provenance.environment(project), provenance.hardware())
    before = _sections(then["git"], then["environment"], then["hardware"])
    if before["code"]["source_sha256"] == now["code"]["source_sha256"]:
        now["code"] = before["code"]  # another commit with the same source
    now["hardware"] = {key: value for key, value in now["hardware"].items() if key in before["hardware"]}
    if "variables" not in then["environment"]:
        now["environment"] = {}
    return [
        Difference(kind, key, before[kind].get(key), now[kind].get(key))
        for kind in now
        if not (portable and kind in MACHINE)
        for key in sorted(before[kind].keys() | now[kind].keys())
        if before[kind].get(key) != now[kind].get(key)
    ]


def _sections(git: dict[str, Any], environment: dict[str, Any], hardware: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Facts by kind; the version of this package counts as code, which --checkout replaces."""
    packages = {"python": environment["python"], **environment["packages"]}
    return {
        "code": {key: git[key] for key in CODE} | {"version": packages.pop("mnist_lstm")},
        "packages": packages,
        "hardware": hardware,
        "environment": {key: value for key, value in environment.get("variables", {}).items() if key not in SKLEARN},
    }
