import ast
import inspect
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from kedro.inspection import get_project_snapshot
from kedro.pipeline import Pipeline

from mnist_lstm.pipeline_registry import register_pipelines
from mnist_lstm.tracking.writer import RunWriter
from tests.support.projects import REPOSITORY, copied

PACKAGE = REPOSITORY / "src" / "mnist_lstm"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
CATALOG: dict[str, Any] = yaml.safe_load((REPOSITORY / "conf/base/catalog.yml").read_text())
STAGES = ("ingest", "reshape", "train", "evaluate", "report", "predict")

# Each layer, by its modules' paths, with what it may import of this package. The first that matches counts.
BASE = ("errors", "sections", "renamed_parameters", "parameter_types", "data_parameters", "parameters")
RECORDS = ("provenance", "redaction", "git", "processes", "temporary_folder")
TRAINS = (*BASE, "core.data", "core.kernel", "core.model", "core.evaluation")
LAYERS = [
    (r"__init__\.py|__main__\.py|(pipelines|core|preflight)/__init__\.py", ()),
    (r"errors\.py", ()),
    (r"output\.py", ("errors",)),
    (r"renamed_parameters\.py", ("errors",)),
    (r"data_parameters\.py", ("sections", "parameter_types")),
    (r"parameters\.py", ("errors", "sections", "renamed_parameters", "parameter_types", "data_parameters")),
    (r"sections\.py|parameter_types\.py|read_only\.py", ()),
    (r"redaction\.py|git\.py|processes\.py|temporary_folder\.py", ()),
    (r"provenance\.py", ("errors", "redaction", "git", "core.training.instructions")),
    (r"core/data/.*", (*BASE, "core.data")),
    (r"core/kernel/.*", (*BASE, "core.kernel")),
    (r"core/model/.*", (*BASE, "core.data", "core.kernel", "core.model")),
    (r"core/evaluation/.*", (*BASE, "core.data", "core.kernel", "core.model", "core.evaluation")),
    (r"core/training/.*", (*TRAINS, "core.training")),
    (r"core/report/.*", (*TRAINS, "core.training", "core.report")),
    (r"core/inference/.*", (*TRAINS, "core.training", "core.inference")),
    (r"core/plots/.*", (*TRAINS, "core.training", "core.inference", "core.plots")),
    (r"core/explain/.*", (*TRAINS, "core.training", "core.inference", "core.explain")),
    (r"cluster/.*", (*BASE, "core", "temporary_folder", "cluster")),
    (r"pipelines/(\w+)/(nodes|preview)\.py", (*BASE, "core", "cluster")),
    (r"pipelines/(\w+)/\w+\.py", (r"pipelines.{0}",)),
    (r"pipeline_registry\.py", ("pipelines",)),
    (r"datasets/.*", (*BASE, *RECORDS, "core", "read_only", "datasets")),
    (r"tracking/.*", (*BASE, *RECORDS, "core", "read_only", "tracking")),
    (r"(seal|model)_commands\.py", (*BASE, "command", "datasets", "tracking")),
    (r"sweep/hook\.py", ()),  # every run has it
    (r"sweep/.*", (*BASE, *RECORDS, "core", "datasets", "tracking", "preflight.config_loader", "cluster", "sweep")),
    (r"viz_site\.py", ("errors", "temporary_folder")),
    (r"openmp\.py", ()),
    (r"preflight/.*", (*BASE, "core", "preflight")),
    (r"console\.py", ("core", "tracking")),
    (r"command\.py", ("errors", "output", "tracking", "preflight", "openmp", "redaction", "sections", "sweep.hook")),
    (r"cli\.py", (*BASE, "command", "seal_commands", "model_commands", "datasets", "tracking", "viz_site", "sweep")),
    (r"settings\.py", ("console", "output", "preflight", "tracking", "sweep")),
]


def allowed(module: str) -> list[str]:
    """What a module may import of this package, as dotted prefixes."""
    for pattern, names in LAYERS:
        if match := re.fullmatch(pattern, module):
            return [f"mnist_lstm.{name.format(*match.groups())}" for name in names]
    raise AssertionError(f"{module} belongs to no layer; give it one")


def imported(module: str) -> set[str]:
    """Every module that a module imports, at its top or in a function, with dots."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def below(name: str, prefixes: list[str]) -> bool:
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_the_layers_below_it(module: str) -> None:
    own = {name for name in imported(module) if below(name, ["mnist_lstm"])}
    assert not {name for name in own if not below(name, allowed(module))}


@pytest.mark.parametrize("name", ["kedro", "kedro_datasets", "mlflow", "os", "logging.config"])
def test_core_is_plain_numpy_and_torch(name: str) -> None:
    assert not [module for module in MODULES if module.startswith("core/") and has_import(module, name)]


@pytest.mark.parametrize("name", ["mlflow", "kedro"])
def test_nodes_know_neither_mlflow_nor_kedro(name: str) -> None:
    assert not [module for module in MODULES if module.endswith("nodes.py") and has_import(module, name)]


def test_only_tracking_talks_to_mlflow() -> None:
    talks = {module for module in MODULES if has_import(module, "mlflow")}
    assert talks
    assert {module.partition("/")[0] for module in talks} == {"tracking"}


def has_import(module: str, name: str) -> bool:
    return any(below(found, [name]) for found in imported(module))


@pytest.mark.parametrize("name", ["pickle", "joblib", "cloudpickle", "dill", "shelve"])
def test_nothing_is_pickled(name: str) -> None:
    assert not [module for module in MODULES if has_import(module, name)]


def test_nothing_that_could_be_a_pickle_is_loaded_as_one() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
            if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "weights_only"):
                assert isinstance(node.value, ast.Constant), module
                assert node.value.value is (node.arg == "weights_only"), module


LAYER_NAMES = ("raw", "intermediate", "model_input", "models", "model_output", "reporting")


@pytest.mark.parametrize("name", CATALOG)
def test_a_dataset_is_one_of_the_project_is_used_and_lies_in_the_folder_of_its_layer(name: str) -> None:
    entry = CATALOG[name]
    assert entry["type"].startswith(("mnist_lstm.datasets.", "mnist_lstm.tracking."))
    layer = entry["metadata"]["kedro-viz"]["layer"]
    assert layer in LAYER_NAMES
    assert re.fullmatch(rf"data/0\d_{layer}/.+", entry.get("filepath", f"data/00_{layer}/none"))
    assert name in EVERYTHING.datasets()


KINDS = {str(entry["metadata"].get("mlflow", "artifact")) for entry in CATALOG.values()}


@pytest.mark.parametrize("kind", sorted(KINDS - {"artifact"}))  # the hook copies artifacts
def test_the_writer_knows_each_kind_that_the_catalog_names(kind: str) -> None:
    RunWriter.write(mock.create_autospec(RunWriter, instance=True), kind, {})


def test_the_writer_does_not_take_a_kind_that_it_does_not_know() -> None:
    with pytest.raises(KeyError, match="metrix"):
        RunWriter.write(mock.create_autospec(RunWriter, instance=True), "metrix", {})


EVERYTHING = register_pipelines()["__default__"] + register_pipelines()["predict"]


def test_everything_that_the_pipeline_makes_is_kept() -> None:
    assert EVERYTHING.all_outputs() <= set(CATALOG)


@pytest.mark.parametrize("stage", STAGES)
def test_every_node_has_a_name_and_says_what_it_does(stage: str) -> None:
    for node in register_pipelines()[stage].nodes:
        assert node.name == f"{stage}.{node.func.__name__}"
        assert node.func.__doc__


def test_every_parameter_of_a_node_has_a_class() -> None:
    for node in EVERYTHING.nodes:
        hints = node.func.__annotations__
        for given, name in zip(hints, node.inputs, strict=False):
            if name.startswith("params:"):
                assert hints[given].__name__ == f"{name.removeprefix('params:').title()}Parameters"


def test_no_generator_has_a_list_of_outputs_as_kedro_ends_one_silently_whose_yield_is_short() -> None:
    generators = [node for node in EVERYTHING.nodes if inspect.isgeneratorfunction(node.func)]
    assert {node.name for node in generators} == {"train.train"}
    assert isinstance(generators[0]._outputs, dict)


def names(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def test_kedro_run_takes_all_stages_and_without_figures_the_drawing_is_left_out() -> None:
    pipelines = register_pipelines()
    training = [stage for stage in STAGES if stage != "predict"]
    assert names(pipelines["__default__"]) == set().union(*(names(pipelines[stage]) for stage in training))
    assert names(pipelines["__default__"]) - names(pipelines["without_figures"]) == names(pipelines["report"])


def test_kedro_sees_the_stages_with_their_nodes(tmp_path: Path) -> None:
    snapshot = get_project_snapshot(copied(tmp_path).path)
    seen = {pipeline.name: {node.name for node in pipeline.nodes} for pipeline in snapshot.pipelines}
    assert {stage: seen[stage] for stage in STAGES} == {stage: names(register_pipelines()[stage]) for stage in STAGES}


def test_the_lock_names_one_version_of_each_package() -> None:
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    assert not [line for line in lines if not re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+", line)]
