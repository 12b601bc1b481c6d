import pytest
from scipy.stats import ttest_1samp

from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.tracking.compare.table import differences, metrics
from tests.tracking.fake_runs import FakeRuns, PlainRuns


def test_only_what_differs_between_the_parameters_is_shown(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(0, 3), params={"training.seed": 2, "model.dropout": 0.5})
    assert differences(runs.groups("a", "b")) == {"training.seed": ["1", "2"], "model.dropout": ["–", "0.5"]}


def test_a_precision_of_auto_is_shown_as_the_one_that_was_used(runs: PlainRuns) -> None:
    auto = {"training.precision": "auto"}
    runs.record("a", wrong=slice(0, 3), params=auto, tags={"training.precision": "float32"})
    runs.record("b", wrong=slice(0, 3), params=auto, tags={"training.precision": "bfloat16"})
    assert differences(runs.groups("a", "b")) == {"training.precision": ["float32", "bfloat16"]}


def test_the_best_of_each_metric_is_marked_and_the_interval_follows_from_the_counts(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(0, 9))
    rows = metrics(runs.groups("a", "b"))
    assert list(rows) == ["test/accuracy", "  95% interval", "  correct", "test/loss", "valid/accuracy", "valid/loss"]
    assert rows["test/accuracy"] == ["0.9850*", "0.9550"]
    assert rows["test/loss"] == ["0.0150*", "0.0450"]
    assert rows["valid/accuracy"] == ["0.5000", "0.5000"]
    low, high = wilson_interval(197, 200, 0.95)
    assert rows["  95% interval"][0] == f"{low:.4f} to {high:.4f}"
    assert rows["  correct"] == ["197 of 200", "191 of 200"]


def test_runs_tested_on_other_images_have_no_best(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("b", wrong=slice(0, 1), digest="other")
    groups = runs.groups("a", "b")
    assert metrics(groups)["test/accuracy"] == ["0.9850", "0.9950"]
    assert differences(groups)["data"] == ["same bars", "other bars"]


def test_a_killed_run_is_shown_with_the_metrics_that_it_has(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3))
    runs.record("killed", wrong=None, status="KILLED")
    groups = runs.groups("a", "killed")
    rows = metrics(groups)
    assert differences(groups) == {"status": ["finished", "killed"]}
    assert rows["test/accuracy"] == ["0.9850", "–"]
    assert rows["  95% interval"][1] == rows["  correct"][1] == "–"
    assert rows["valid/accuracy"] == ["0.5000", "0.5000"]


@pytest.mark.parametrize(("keep", "accuracy", "loss"), [("best", "0.9000", "0.4000"), ("last", "0.8000", "0.9000")])
def test_the_validation_metrics_are_those_of_the_weights_that_classify(
    fakes: FakeRuns, keep: str, accuracy: str, loss: str
) -> None:
    run_id = fakes.record("a", wrong=slice(0, 3), params={"training.keep": keep})
    for step, (value, cost) in enumerate([(0.7, 0.5), (0.9, 0.4), (0.9, 0.3), (0.8, 0.9)], start=30):
        fakes.client.log_metric(run_id, "valid/accuracy", value, step=step)
        fakes.client.log_metric(run_id, "valid/loss", cost, step=step)
    fakes.record("b", wrong=slice(0, 3))
    rows = metrics(fakes.groups("a", "b"))
    assert [rows[f"valid/{name}"][0].rstrip("*") for name in ("accuracy", "loss")] == [accuracy, loss]


def test_the_lowest_calibration_error_is_the_best(fakes: FakeRuns) -> None:
    for name, error in (("a", 0.03), ("b", 0.01)):
        fakes.client.log_metric(fakes.record(name, wrong=slice(0, 3)), "test/ece", error)
    assert metrics(fakes.groups("a", "b"))["test/ece"] == ["0.0300", "0.0100*"]


def test_parameters_that_change_no_result_are_no_differences(runs: PlainRuns) -> None:
    runs.record("a", wrong=slice(0, 3), params={"data.mirror": "here", "training.resume": True, "data.timeout": 5.0})
    runs.record("b", wrong=slice(0, 3), params={"training.clip_norm": None, "training.augmentation.shear": 0.0})
    assert differences(runs.groups("a", "b")) == {}


def test_runs_that_differ_in_the_seed_alone_are_one_column_of_means(runs: PlainRuns) -> None:
    for seed, wrong in ((1, 4), (2, 6), (3, 8)):
        runs.record(f"lstm s{seed}", wrong=slice(0, wrong), params={"training.seed": seed})
    runs.record("gru s1", wrong=slice(0, 9), params={"model.cell": "gru"})
    groups = runs.groups("lstm s1", "lstm s2", "lstm s3", "gru s1")
    assert differences(groups) == {"training.seed": ["1, 2, 3", "1"], "model.cell": ["lstm", "gru"]}
    rows = metrics(groups)
    interval = ttest_1samp([0.98, 0.97, 0.96], 0).confidence_interval(0.95)
    assert rows["test/accuracy"] == ["0.9700*", "0.9550"]
    assert rows["  95% over seeds"] == [f"{interval.low:.4f} to {interval.high:.4f}", "–"]
    assert [cell == "–" for cell in rows["  95% interval"]] == [True, False]
    assert rows["  correct"] == ["–", "191 of 200"]


def test_packages_that_differ_are_shown(runs: PlainRuns) -> None:
    for name, version in (("a", "2.12"), ("b", "2.13")):
        about = {"environment": {"python": "3.11", "packages": {"torch": version}}}
        runs.record(name, wrong=slice(0, 3), provenance=about)
    assert differences(runs.groups("a", "b")) == {"torch": ["2.12", "2.13"]}
