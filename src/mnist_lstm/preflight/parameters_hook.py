"""Validates the parameters, and checks that a run has those with which its input files were made."""

import logging
import threading
from collections.abc import Iterable
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import BASE, Parameters, checked
from mnist_lstm.sections import flattened

logger = logging.getLogger(__name__)

PREDICT = "predict"
STAGES = ("ingest", "reshape", "train", "evaluate", "report", PREDICT)  # a pipeline of one's own may have others
MAKERS = ("data_card", "checkpoint")  # these hold the parameters with which files were made


def expect_entries(pipeline: Pipeline, catalog: Any) -> None:
    """Checks that the catalog has an entry for each output of a stage, before a node that reads it ends the run."""
    for node in pipeline.nodes:
        if node.namespace in STAGES and (lost := [name for name in node.outputs if name not in catalog]):
            raise UserError(
                f"conf/base/catalog.yml must have an entry for {lost[0]!r}, an output of the node {node.name!r}, found "
                "none; add it."
            )


def expect_no_arm(values: dict[str, Any]) -> None:
    """Checks that the parameters of a run name no arm, which only a sweep has."""
    if "arm" in values:
        raise UserError(
            f"parameter 'arm' belongs to a sweep, found {values['arm']!r}; run `kedro sweep --env NAME --grid "
            "arm=...`, or pass the parameters that conf/NAME/arms.yml gives for it."
        )


def expect_read(given: dict[str, Any], pipeline: Pipeline) -> None:
    """Checks that a run with a folder to predict predicts, and logs the parameters that `predict` alone ignores."""
    predicts = {node.namespace == PREDICT for node in pipeline.nodes}
    if True not in predicts and (given.get(PREDICT) or {}).get("folder") is not None:
        raise UserError(
            f"parameter '{PREDICT}.folder' is of the pipeline {PREDICT}, which this run does not have; add --pipelines "
            f"{PREDICT}, or leave it out."
        )
    without_effect = flattened({block: value for block, value in given.items() if block not in (PREDICT, "tracking")})
    if predicts == {True} and without_effect:
        found = ", ".join(without_effect)
        logger.warning("No effect on the pipeline %s, which uses what the model was trained with: %s", PREDICT, found)


def expect_versioned(names: Iterable[str], catalog: Any) -> None:
    """Checks that --load-versions names datasets that have versions; Kedro reads what there is without a word."""
    for name in names:
        version_of = getattr(catalog.get(name), "resolve_load_version", None)
        if version_of is None or version_of() is None:
            raise UserError(
                f"--load-versions must name versioned datasets, found {name!r}, which has no versions; MLflow records "
                "those of each run: `kedro run --pipelines evaluate --params of=RUN` evaluates a recorded one."
            )


class CheckParameters(threading.local):
    """Refuses wrong parameters before anything is read or written.

    Each thread has its own state, as requests to `kedro server` create their contexts at once.
    """

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """Validates the merged parameters; the block `tracking` belongs to conf/base/mlflow.yml."""
        loader, project = context.config_loader, context.project_path
        loader.project = project
        values = loader.parameters()
        expect_no_arm(values)
        files = [path.relative_to(project) if path.is_relative_to(project) else path for path in loader.files]
        self._parameters = checked(values, tuple(map(str, files)) or (BASE,))

    def parameters(self) -> Parameters:
        """The validated parameters of this run."""
        return self._parameters

    @hook_impl
    def after_catalog_created(self, catalog: Any) -> None:
        """Checks that there is a source `data.name` or a file `data.path`, without reading it."""
        catalog.load("image_sources")(self._parameters.data)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any) -> None:
        """Refuses input files that were made with other parameters than the run would record."""
        expect_entries(pipeline, catalog)
        expect_read(run_params.get("runtime_params") or {}, pipeline)
        expect_versioned(run_params.get("load_versions") or {}, catalog)
        self._warned = False
        self._catalog, self._skips_nodes = catalog, run_params["only_missing_outputs"]
        self._expect_made_by_these(pipeline.inputs())
        if self._skips_nodes and (found := self._differences(self._loaded(pipeline.datasets()))):
            logger.warning("--only-missing-outputs keeps files that were made with other parameters: %s.", found)

    @hook_impl(tryfirst=True)
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """The same for files that a run reads only because --only-missing-outputs skipped the node before."""
        if self._skips_nodes:
            self._expect_made_by_these({dataset_name})

    def _loaded(self, names: set[str]) -> dict[str, Any]:
        return {name: self._catalog.load(name) for name in MAKERS if name in names and self._catalog.exists(name)}

    def _expect_made_by_these(self, names: set[str]) -> None:
        trained = pipelines["__default__"].from_nodes("train.train").all_outputs()
        found = self._loaded(names | ({"checkpoint"} if names & trained else set()))
        if differences := self._differences(found):
            raise UserError(
                f"a run must have the parameters with which its input files were made, found others: {differences}; "
                "pass those (--params, --env), or make the files again (`kedro run`)."
            )
        if "checkpoint" in found and not self._warned and not (state := found["checkpoint"].state).ended:
            self._warned = True
            logger.warning(
                "The checkpoint is of a training that was interrupted at update %d; to finish it, run with "
                "training.resume=true.",
                state.iteration,
            )

    def _differences(self, found: dict[str, Any]) -> str:
        """How the parameters differ from those of these datasets, leaving out the device and a precision of "auto"."""
        from mnist_lstm.core.training.fingerprint import CAME_LATER, differences, parameters_fingerprint_fields

        given = self._parameters
        now, then = {"data.name": given.data.source}, {}
        if "data_card" in found:
            then["data.name"] = found["data_card"].requested
        if "checkpoint" in found:
            now |= parameters_fingerprint_fields(given.sequence, given.model, given.training)
            then |= CAME_LATER | found["checkpoint"].fingerprint_fields
        both = (now.keys() & then.keys()) - {"training.device"}
        if given.training.precision == "auto":
            both -= {"training.precision"}
        return differences({key: now[key] for key in now if key in both}, {key: then[key] for key in both})
