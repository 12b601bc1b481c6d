"""The winner of a sweep as a preset: conf/<name>/parameters.yml, with what differs from conf/base."""

from pathlib import Path
from textwrap import indent

import yaml

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ROLES, SWEPT_BLOCKS
from mnist_lstm.sections import changed, flattened
from mnist_lstm.sweep.base_parameters import SEED, BaseParameters, Changes


def path_of(project: Path, name: str) -> Path:
    """The file of the preset."""
    return project / "conf" / name / "parameters.yml"


def expect_free(project: Path, name: str) -> None:
    """Checks that there is no preset of this name, or one that a sweep of this name wrote."""
    path = path_of(project, name)
    taken = path.is_file() and _mark(name) not in path.read_text(encoding="utf-8")
    if taken or name in ("base", "local"):
        raise UserError(
            f"conf/{name} must be free for the winner, found parameters that no sweep wrote; choose a --name."
        )


def preset(base: BaseParameters, changes: Changes, name: str, summary: str) -> str:
    """The preset as text.

    Args:
        changes: of the winner, without a seed.
        summary: the winner's result and cost, for people.
    """
    defaults = flattened(yaml.safe_load((base.project / "conf/base/parameters.yml").read_text(encoding="utf-8")))
    values = flattened(base.parameters(changes).model_dump())
    differing = {
        key: value
        for key, value in values.items()
        if key.startswith(SWEPT_BLOCKS) and key != SEED and not ROLES[key].transient and value != defaults.get(key)
    }
    opening = f"The best of a sweep: `kedro run --env {name}`.\n{summary}\n{_mark(name)}, which may overwrite it.\n"
    return indent(opening, "# ") + "\n" + str(yaml.safe_dump(changed({}, differing), sort_keys=False))


def _mark(name: str) -> str:
    return f"Written by `kedro sweep --name {name}`"
