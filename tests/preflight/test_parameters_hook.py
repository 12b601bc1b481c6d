"""A run that reads files of an earlier one must have the parameters with which they were made."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from mnist_lstm import pipeline_registry
from mnist_lstm.core.training.checkpoint import from_bytes, to_bytes
from mnist_lstm.errors import UserError
from mnist_lstm.preflight import parameters_hook
from mnist_lstm.preflight.parameters_hook import expect_entries, expect_no_arm, expect_read, expect_versioned
from tests.support.projects import DIGITS, PLAIN, Project, mistake

FINISHED = DIGITS  # the parameters of the earlier run
ONLY_MISSING = ("--only-missing-outputs", *PLAIN)
TEST_LOGITS = "07_model_output/predictions.npz"


@pytest.fixture
def project(short: Project, tmp_path: Path) -> Project:
    """With the files of a run with FINISHED, without figures."""
    return short.copied_to(tmp_path)


CELL = f"{FINISHED},training.seed=2,model.cell=gru", "model.cell is 'gru', was 'lstm', training.seed is 2, was 1"
VIEW = f"{FINISHED},sequence.view=columns", "sequence.view is 'columns', was 'rows'"


@pytest.mark.parametrize(
    ("options", "parameters", "differences"),
    [
        (["--pipelines", "evaluate"], *CELL),
        (["--nodes", "export"], *VIEW),
        (["--from-nodes", "compute_gates"], *CELL),
        (["--nodes", "score"], *VIEW),
        (["--pipelines", "evaluate"], "training.iterations=30", "data.name is 'mnist', was 'digits'"),
    ],
)
def test_a_run_that_does_not_train_must_have_the_parameters_of_the_checkpoint(
    project: Project, options: list[str], parameters: str, differences: str
) -> None:
    before = len(project.runs())
    found = mistake(project.invoke(*options, "--params", parameters))
    assert found.startswith("a run must have the parameters with which its input files were made")
    assert f"found others: {differences};" in found
    assert len(project.runs()) == before


def test_a_version_of_what_has_none_is_refused(project: Project) -> None:
    before = project.checkpoints()
    done = project.invoke("--load-versions", "checkpoint:2026-01-01T00.00.00.000Z", "--params", FINISHED)
    assert mistake(done).startswith("--load-versions must name versioned datasets, found 'check")
    assert project.checkpoints() == before


def test_a_version_of_a_versioned_dataset_may_be_named(tmp_path: Path) -> None:
    entry = {"type": "json.JSONDataset", "filepath": str(tmp_path / "mine.json")}
    for versioned, refusal in ((True, nullcontext()), (False, pytest.raises(UserError, match="found 'mine'"))):
        catalog = DataCatalog.from_config({"mine": entry | {"versioned": versioned}}, load_versions={"mine": "1"})
        with refusal:
            expect_versioned({"mine": "1"}, catalog)


def test_parameters_of_predict_without_it_are_refused_and_others_with_it_alone_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = {"predict": {"folder": "mine"}, "training": {"seed": 2}, "tracking": {"enabled": False}}
    every = pipeline_registry.register_pipelines()
    whole, predict = every["__default__"], every["predict"]
    with pytest.raises(UserError, match=r"'predict\.folder' is of the pipeline predict, .*; add --pipelines predict"):
        expect_read(given, whole)
    expect_read({"training": {"seed": 2}}, whole)
    expect_read({"predict": {"folder": "mine"}}, predict)
    expect_read(given, whole + predict)
    assert not caplog.text
    expect_read(given, predict)
    assert "No effect on the pipeline predict, which uses what the model was trained with: training.seed" in caplog.text


def test_the_evaluation_may_be_another_one(project: Project) -> None:
    done = project.invoke("--pipelines", "evaluate", "--params", f"{FINISHED},evaluation.confidence=0.5")
    assert done.exit_code == 0, done.output
    assert "(50% interval" in done.output
    assert project.last_run().info.run_name == "lstm128 rows s1 iterations=30 digits"


def test_where_and_how_precisely_it_was_trained_does_not_hinder_an_evaluation(project: Project) -> None:
    same = f"{FINISHED},training.device=auto,training.precision=auto,training.resume=true"
    done = project.invoke("--nodes", "predict_test", "--params", same)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("namespace", [None, "mine", "report"])
def test_a_result_of_a_stage_without_an_entry_in_the_catalog_is_named(namespace: str | None) -> None:
    pipeline = Pipeline([Node(lambda: "", inputs=None, outputs="my_figure", name="draw", namespace=namespace)])
    refused = pytest.raises(UserError, match=r"entry for 'my_figure', an output of the node 'report\.draw'")
    with refused if namespace == "report" else nullcontext():
        expect_entries(pipeline, DataCatalog())


def test_the_stages_are_those_of_the_registry() -> None:
    assert (*pipeline_registry.STAGES, "predict") == parameters_hook.STAGES


def test_training_refuses_sequences_of_another_view(project: Project) -> None:
    done = project.invoke("--pipelines", "train", "--params", f"{DIGITS},sequence.view=columns")
    assert "must be read by the view 'columns' of the parameters" in mistake(done)


def test_a_run_that_trained_says_how_to_reproduce_it(finished: Project) -> None:
    trained, run_id = (finished.path / "data/08_reporting/report.html").read_text(), finished.last_run().info.run_id
    assert f"kedro reproduce {run_id}" in trained
    assert f"Run {run_id} of 20" in trained


def warned(project: Project, parameters: str) -> str:
    done = project.run(*ONLY_MISSING, "--params", parameters)
    lines = " ".join(done.stdout.split())
    return lines if "keeps files that were made with other parameters" in lines else ""


@pytest.mark.slow
def test_files_that_are_kept_though_the_parameters_changed_are_warned_of(project: Project) -> None:
    assert not warned(project, FINISHED)
    assert "other parameters: training.seed is 2, was 1." in warned(project, f"{FINISHED},training.seed=2")


@pytest.mark.parametrize("missing", [["08_reporting/metrics.json"], ["08_reporting/metrics.json", TEST_LOGITS]])
def test_a_run_that_skips_training_does_not_evaluate_with_other_parameters(
    project: Project, missing: list[str]
) -> None:
    for name in missing:
        (project.path / "data" / name).unlink()
    done = project.invoke(*ONLY_MISSING, "--params", f"{FINISHED},training.seed=2")
    assert "found others: training.seed is 2, was 1;" in mistake(done)
    assert project.last_run().info.status == "FAILED"


def test_the_evaluation_of_an_interrupted_training_says_so_and_claims_neither_weights_nor_to_be_reproducible(
    project: Project,
) -> None:
    [path] = project.checkpoints()
    whole = from_bytes(path.read_bytes(), str(path))
    path.write_bytes(to_bytes(replace(whole, state=replace(whole.state, iteration=7, ended=False))))
    done = project.invoke("--pipelines", "evaluate,report", "--params", FINISHED)
    assert " ".join(done.output.split()).count("training that was interrupted at update 7") == 1
    run = project.last_run()
    assert run.info.run_name == "lstm128 rows s1 iterations=30 digits interrupted"
    assert run.data.tags["training.updates"] == "7"
    for name in ("report.html", "model_card.md"):
        page = (project.path / "data/08_reporting" / name).read_text()
        assert "at update 7: the training has not ended" in page
        assert "kedro reproduce" not in page
        assert "evaluated with" in page
        assert f"Run {run.info.run_id} of 20" in page


def test_a_run_without_work_leaves_no_record(project: Project) -> None:
    before = len(project.runs())
    done = project.invoke(*ONLY_MISSING, "--params", FINISHED)
    assert done.exit_code == 0, done.output
    assert len(project.runs()) == before


def test_an_arm_in_a_run_is_refused_with_the_command_that_takes_one() -> None:
    with pytest.raises(
        UserError, match=r"^parameter 'arm' belongs to a sweep, found 'gru'; run `kedro sweep .*arms\.yml"
    ):
        expect_no_arm({"arm": "gru"})
