"""What has changed since a run: code, packages and hardware."""

from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm import provenance


class Difference(NamedTuple):
    """Something that is not as it was: "code", "packages" or "hardware", what, then and now."""

    kind: str
    what: str
    then: Any
    now: Any


def refusal(found: list[Difference]) -> str:
    """Why a run is not done again, and what would; empty where nothing but the hardware changed."""
    ways = {
        "code": "--checkout takes the run's own",
        "packages": "install the run's own (the table names them, requirements.lock has them all)",
    }
    changed = [kind for kind in ways if kind in {difference.kind for difference in found}]
    if not changed:
        return ""
    mend = "; ".join(ways[kind] for kind in changed)
    return (
        f"not done again, as the {' and the '.join(changed)} changed: {mend}; --allow-differences goes on with today's."
    )


def show(found: list[Difference], run: Any) -> None:
    """Prints the differences as a table, or that there are none."""
    from rich import get_console
    from rich.table import Table

    title = f"Since run {run.info.run_id} ({run.info.run_name})"
    if not found:
        get_console().print(f"{title}: code, packages and hardware are the same.", highlight=False)
        return
    table = Table("", "what", "then", "now", title=title)
    for difference in found:
        table.add_row(*(str(field) for field in difference))
    get_console().print(table)


def differences_since(then: dict[str, Any], project: Path) -> list[Difference]:
    """What differs between a run's provenance and this machine with this code."""
    now = {
        "code": provenance.code(project),
        "packages": _packages(provenance.environment(project)),
        "hardware": provenance.hardware(),
    }
    before = {"code": then["git"], "packages": _packages(then["environment"]), "hardware": then["hardware"]}
    if before["code"]["source_sha256"] == now["code"]["source_sha256"]:
        now["code"] = before["code"]  # another commit, but not one that touched the code
    return [
        Difference(kind, key, before[kind].get(key), now[kind].get(key))
        for kind in now
        for key in sorted(before[kind].keys() | now[kind].keys())
        if key not in ("diff", "redacted") and before[kind].get(key) != now[kind].get(key)
    ]


def _packages(environment: dict[str, Any]) -> dict[str, Any]:
    return {"python": environment["python"], **environment["packages"]}
