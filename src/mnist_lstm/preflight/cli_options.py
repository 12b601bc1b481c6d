"""Checks that the pipelines, nodes, tags, datasets and preset named by the options of `kedro run` exist."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kedro.framework.project import pipelines, settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from mnist_lstm.errors import UserError, listed, nearest
from mnist_lstm.preflight.runner_hook import NO_ASYNC, expect_runner

# Options by click's names for them
NODES = {"node_names": "--nodes", "from_nodes": "--from-nodes", "to_nodes": "--to-nodes"}
CONFIGURATION = ("parameters", "catalog", "mlflow", "arms", "credentials", "globals")  # names of files in a preset
ALIKE = 0.65  # share of the letters of two names: of param and parameters 0.67, of airflow and mlflow 0.62
METAFLOW = "metaflow"  # a tool whose name is like mlflow
DATASETS = {"from_inputs": "--from-inputs", "to_outputs": "--to-outputs"}

# Nodes and datasets of version 0.1
RENAMED = {
    "follow_beliefs": "classify_after_each_step",
    "look_inside": "compute_gates",
    "draw_beliefs": "draw_readings",
    "explain": "write_explain_page",
    "interrupted": "earlier_checkpoints",
    "belief_examples": "example_readings",
    "inner_states": "gates_and_states",
    "learning_curves": "learning_curves_interactive",
    "learning_curves_print": "learning_curves_figure",
    "accuracy_by_step_print": "accuracy_by_step_figure",
}


def expect_known(options: dict[str, Any]) -> None:
    """Checks every name in the options of `kedro run`; a node may be named without its stage, "export".

    Its full name, "train.export", takes the place of that in the options.
    """
    if options["is_async"] or options["runner_params"].get("is_async"):
        raise UserError(NO_ASYNC)
    expect_runner(str(options["runner"]))  # before Kedro imports it
    names = options["pipelines"] or [options["pipeline"] or "__default__"]
    for name in names:
        if name not in pipelines:
            made = name.isidentifier() and (Path(__file__).parents[1] / "pipelines" / name).is_dir()
            hint = " (add it to pipeline_registry.py)" if made else nearest(name, pipelines)
            raise UserError(f"pipeline must be {listed(pipelines)}, not {name!r}{hint}.")
    expect_preset(options["env"], options["conf_source"])
    chosen = sum((pipelines[name] for name in names), Pipeline([]))
    nodes = {node.short_name: node.name for node in chosen.nodes}
    for option, flag in NODES.items():
        _expect(options[option], {*nodes, *nodes.values()}, f"{flag} must be {listed(nodes)}")
        options[option] = [nodes.get(name, name) for name in options[option] or ()]
    tags = {tag for node in chosen.nodes for tag in node.tags}
    _expect(options["tags"], tags, f"--tags must be {listed(tags)}" if tags else "--tags must be left out")
    for option, flag in DATASETS.items():
        _expect(options[option], chosen.datasets(), f"{flag} must be a dataset of the pipeline")


def _expect(found: Iterable[str], known: Collection[str], must_be: str) -> None:
    for name in found:
        if RENAMED.get(name) in known:
            raise UserError(f"{must_be}, not {name!r}, which is called {RENAMED[name]!r} now.")
        if name not in known:
            nodes = {key: pipelines[key].nodes for key in pipelines if key != "__default__"}
            elsewhere = [key for key in nodes if any(name in (node.name, node.short_name) for node in nodes[key])]
            hint = f" (a node of --pipelines {listed(elsewhere)})" if elsewhere else nearest(name, known)
            raise UserError(f"{must_be}, not {name!r}{hint}.")


def expect_preset(env: str | None, source: str | None) -> None:
    """Checks that there is a configuration, and that it has this environment."""
    root = find_kedro_project(Path.cwd())
    folder = Path(source) if source else (root or Path()) / settings.CONF_SOURCE
    if not folder.exists():
        raise UserError(
            f"the configuration must be a folder, or an archive that `kedro package` wrote, found no {str(folder)!r}; "
            "go to the project's folder, or pass --conf-source PATH."
        )
    if not folder.is_dir():  # a packaged configuration is an archive
        return
    if not env or (folder / env).is_dir():
        _expect_read(folder / (env or "local"))
        return
    known = [path.name for path in folder.iterdir() if path.is_dir() and path.name != "base"]
    raise UserError(f"--env must be a folder of {folder.name}/, {listed(known)}, not {env!r}{nearest(env, known)}.")


def _expect_read(preset: Path) -> None:
    """Refuses a misspelt name of a configuration file, for instance params.yml, whose values would not count.

    Files of other names may be those of other tools.
    """
    for path in sorted(each for suffix in (".yml", ".yaml", ".json") for each in preset.rglob(f"*{suffix}")):
        if any(part.startswith(CONFIGURATION) for part in path.relative_to(preset).parts):
            continue
        for name in get_close_matches(path.stem, CONFIGURATION[:3], cutoff=ALIKE):
            if path.stem[0].lower() == name[0] and path.stem != METAFLOW:
                raise UserError(f"the name of {path} must begin with {name!r}, or nothing reads it; rename it.")
