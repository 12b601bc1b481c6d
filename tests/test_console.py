import io
import re
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import rich
from rich.console import Console as RichConsole

from mnist_lstm.console import Console, TrainingDisplay, print_summary, resume_command
from mnist_lstm.parameters import Parameters
from mnist_lstm.tracking.hook import Tracking
from tests.support.projects import DIGITS, TESTED, Project

RESULTS = {
    "data": "10,000 test images of MNIST",
    "confidence": 0.95,
    "test/accuracy": 0.9627,
    "test/accuracy_low": 0.9588,
    "test/accuracy_high": 0.9662,
    "test/images": 10000,
    "test/first_128_correct": 126,
}


ROW = {"train_loss": 0.5, "train_accuracy": 0.75, "valid_accuracy": 0.8}

NOT_RECORDED = Tracking(lambda: pytest.fail("no run was started"))


@pytest.fixture
def output(finished: Project) -> str:
    """What `kedro run --params data.name=digits` printed into a file."""
    return (finished.path / "output.txt").read_text()


def test_where_there_is_no_terminal_training_is_shown_in_plain_lines_without_a_warning(output: str) -> None:
    updates = re.findall(r"^  update (\d+) of 799  loss \d\.\d{3}  accuracy \d\.\d{3}", output, re.MULTILINE)
    assert 1 <= len(updates) <= TrainingDisplay.LINES
    assert int(updates[-1]) == 799
    assert not re.findall(r"[\x1b\r{]|Warning", output)  # nothing moves the cursor


def test_a_run_says_on_which_data_it_is_before_it_trains(output: str) -> None:
    before = " ".join(output.partition("  update ")[0].split())
    assert "bundled 8x8 digits (not MNIST)" in before
    assert "images: 1,257 to train, 180 to validate, 360 to test" in before


def test_the_summary_names_the_data_the_interval_the_runs_page_and_the_report(output: str, finished: Project) -> None:
    summary = output.splitlines()[-6:]
    run = finished.last_run().info
    assert summary[0] == "Data       360 test images of bundled 8x8 digits (not MNIST)"
    assert re.fullmatch(r"Accuracy   0\.9\d{3}  \(95% interval 0\.9\d{3} to 0\.9\d{3}\)", summary[1])
    assert re.fullmatch(r"Time       \d+ s", summary[2])
    page = f"http://127.0.0.1:5000/#/experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning"
    assert summary[3:] == [
        "Registered digits-lstm version 1 became the champion, the first one",
        f"Recorded   {page} (kedro ui)",
        "Report     data/08_reporting/report.html",
    ]


def test_each_stage_has_one_line_and_kedro_none_between(output: str) -> None:
    stages = ["ingest", "reshape", "train", "evaluate", "report"]
    assert re.findall(r"^(\w+) {2,}(?:reads|turns|trains|tests|draws)", output, re.MULTILINE) == stages
    assert "Completed" not in output
    assert "--async" not in output


def test_the_summary_shows_the_exact_confidence(shown: io.StringIO) -> None:
    print_summary(RESULTS | {"confidence": 0.999}, NOT_RECORDED, None, 1.0)
    assert "(99.9% interval " in shown.getvalue()


def test_a_run_that_evaluates_nothing_prints_no_summary_not_even_that_of_the_run_before(project: Project) -> None:
    assert "Accuracy" in project.invoke("--params", DIGITS, *TESTED).output
    assert "Accuracy" not in project.invoke("--params", DIGITS, "--to-nodes", "ingest").output


@pytest.fixture
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the console shows: a terminal, or a file."""
    file = io.StringIO()
    console = RichConsole(file=file, force_terminal=hasattr(request, "param"), width=120)
    monkeypatch.setattr(rich, "get_console", lambda: console)
    return file


def train(updates: int, stop_at: int) -> TrainingDisplay:
    """Shows a training of so many updates, of which a few are done."""
    display = TrainingDisplay(updates)
    for iteration in range(1, stop_at + 1):
        display.show(ROW | {"iteration": iteration}, pd.DataFrame([ROW | {"iteration": iteration}]))
    return display


def test_a_training_of_any_length_prints_ten_lines(shown: io.StringIO) -> None:
    train(1000, stop_at=1000).stop()
    lines = shown.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == [str(tenth) for tenth in range(100, 1001, 100)]
    assert "loss 0.500  accuracy 0.750  validation 0.8000" in lines[0]


@pytest.mark.parametrize("shown", ["terminal"], indirect=True)
def test_on_a_terminal_a_bar_shows_how_far_training_is(shown: io.StringIO) -> None:
    train(1000, stop_at=250).stop()
    assert "250/1000" in shown.getvalue()
    assert "validation 0.8000" in shown.getvalue()


@pytest.mark.parametrize(("stop_at", "unfinished"), [(0, False), (5, True), (10, False)])
def test_a_display_knows_whether_training_had_begun_and_not_ended(
    shown: io.StringIO, stop_at: int, unfinished: bool
) -> None:
    assert train(10, stop_at).stop() is unfinished


def test_the_summary_shows_a_place_as_it_is(shown: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracking, "place", "not yet by MLflow: /data/[old]/[/b] waits")
    print_summary(RESULTS, NOT_RECORDED, None, 1.0)
    assert "/data/[old]/[/b] waits" in shown.getvalue()


@pytest.mark.parametrize("tutorials", [True, False])
def test_the_first_128_images_are_counted_for_the_tutorials_data_alone(shown: io.StringIO, tutorials: bool) -> None:
    print_summary(RESULTS, NOT_RECORDED, None, 1.0, tutorials)
    assert ("0.9662); 126 of the first 128 right\n" in shown.getvalue()) is tutorials
    assert "0.9588 to 0.9662)" in shown.getvalue()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], "kedro run --params training.resume=true"),
        (["run", "--params", "a=1"], "kedro run --params a=1,training.resume=true"),
        (["run", "--params=a=1", "--env", "x"], "kedro run --params=a=1,training.resume=true --env x"),
        (["run", "--params", "a=b c"], "kedro run --params 'a=b c,training.resume=true'"),
        (["run", "--params", "training.resume=true,a=1"], "kedro run --params a=1,training.resume=true"),
        (["run", "--params=training.resume=false"], "kedro run --params=training.resume=true"),
    ],
)
def test_the_command_that_continues_a_run_is_its_own_with_one_parameter_more(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/kedro", *arguments])
    assert resume_command() == expected


def saved(console: Console, updates: int, ended: bool) -> None:
    """Calls the console's hooks as one report of a training does."""
    console.after_dataset_saved("checkpoint", SimpleNamespace(state=SimpleNamespace(ended=ended)))
    console.after_dataset_saved("history", pd.DataFrame([ROW | {"iteration": updates}]))


@pytest.fixture
def training(shown: io.StringIO, parameters: Parameters) -> Console:
    """The console while 10 updates train."""
    console = Console(NOT_RECORDED)
    console.before_pipeline_run({})
    settings = parameters.training.model_copy(update={"iterations": 10})
    inputs = {"train_sequences": {"labels": [0] * 20}, "params:training": settings}
    console.before_node_run(SimpleNamespace(short_name="train", namespace="train"), inputs)
    return console


@pytest.mark.parametrize(("updates", "ended"), [(5, False), (5, True), (10, True)])
def test_a_run_that_was_interrupted_in_training_or_later_is_offered_to_be_continued(
    training: Console, capsys: pytest.CaptureFixture[str], updates: int, ended: bool
) -> None:
    saved(training, updates, ended)
    training._show_how_to_resume()
    what = "The run stopped after training" if ended else "Training stopped"
    assert f"{what}; its checkpoint is saved. To continue:" in capsys.readouterr().err
    training.on_pipeline_error()
    training._show_how_to_resume()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("updates", "reported"), [(5, True), (10, False)])
def test_a_training_that_lost_its_patience_says_so(
    training: Console, shown: io.StringIO, updates: int, reported: bool
) -> None:
    saved(training, updates, ended=True)
    assert ("  ended at update 5 of 10: the validation accuracy had not risen" in shown.getvalue()) is reported
    training.on_pipeline_error()
