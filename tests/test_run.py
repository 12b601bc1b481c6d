import math
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from mnist_lstm.core.training.checkpoint import from_bytes, weights_digest
from tests.support.mnist_run import needs_mnist
from tests.support.projects import CLOSED, DIGITS, PINNED, TESTED, Project, copied, wait_for

LOGITS = "data/07_model_output/predictions.npz"


def arrays(project: Project, name: str) -> dict[str, Any]:
    with np.load(project.path / "data" / name, allow_pickle=False) as archive:
        return dict(archive)


def weights(run: Any) -> str:
    digest: str = run.data.tags["weights.sha256"]
    return digest


# kedro run --params data.name=digits

DRAWN = [
    *("accuracy_by_step.csv", "accuracy_by_step.json", "accuracy_by_step.png", "beliefs.png", "calibration.png"),
    *("classes.png", "explain.html", "learning_curves.png", "mistakes.png", "model_card.md", "report.html"),
    "states.png",
]


TABLES = ["confusion_matrix.csv", "history.csv", "metrics.json", "per_class.csv"]


def test_a_run_leaves_the_files_of_the_catalog_and_no_other(finished: Project) -> None:
    data = finished.path / "data"
    left = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
    (checkpoint,) = finished.checkpoints()
    assert left == {
        "02_intermediate/data_card.json",
        *(f"02_intermediate/{split}_images.npz" for split in ("train", "valid", "test")),
        *(f"05_model_input/{split}_sequences.npz" for split in ("train", "valid", "test")),
        *(f"06_models/{name}" for name in (f"checkpoints/{checkpoint.name}", "classifier.pt2", "snapshots.npz")),
        *(f"07_model_output/{name}.npz" for name in ("belief_examples", "inner_states", "predictions")),
        *(f"08_reporting/{name}" for name in [*DRAWN, *TABLES, "confusion_matrix.png", "learning_curves.json"]),
    }


def test_a_run_leaves_nothing_in_the_projects_root_but_its_record_and_does_not_touch_pyproject(
    finished: Project,
) -> None:
    given = {"conf", "data", "src", "pyproject.toml", ".telemetry", "output.txt"}
    made = {path.name for path in finished.path.iterdir()} - given
    assert made <= {"mlflow.db", "mlflow.db.lock", "mlartifacts", ".viz"}
    own = Path(__file__).parents[1] / "pyproject.toml"
    assert (finished.path / "pyproject.toml").read_bytes() == own.read_bytes()


def test_the_curves_have_a_point_at_regular_updates_and_at_the_last(finished: Project) -> None:
    history = pd.read_csv(finished.path / "data/08_reporting/history.csv")
    assert history["iteration"].tolist() == [*range(10, 799, 10), 799]
    assert history.dropna()["iteration"].tolist() == [*range(100, 799, 100), 799]
    assert history["train_loss"].iloc[-5:].mean() < 0.2 < history["train_loss"].iloc[0]


def test_measures_and_tables_follow_from_the_predictions_of_every_test_image(finished: Project) -> None:
    predictions = arrays(finished, "07_model_output/predictions.npz")
    metrics = finished.read("08_reporting/metrics.json")
    right = predictions["logits"].argmax(axis=1) == predictions["labels"]
    assert (metrics["test/correct"], metrics["test/images"]) == (right.sum(), 360)
    assert metrics["test/first_128_correct"] == right[:128].sum()
    assert metrics["test/accuracy_low"] < right.mean() < metrics["test/accuracy_high"]
    confusion = pd.read_csv(finished.path / "data/08_reporting/confusion_matrix.csv").set_index("label").to_numpy()
    per_class = pd.read_csv(finished.path / "data/08_reporting/per_class.csv")
    assert (confusion.sum(), np.trace(confusion), per_class["images"].sum()) == (360, right.sum(), 360)


def test_a_run_without_figures_makes_everything_else(short: Project) -> None:
    assert sorted(path.name for path in (short.path / "data/08_reporting").iterdir()) == TABLES


@pytest.mark.slow
def test_the_stages_one_after_the_other_give_what_a_whole_run_gives(project: Project, short: Project) -> None:
    parameters = f"{DIGITS},tracking.enabled=false"
    for stage in ("ingest", "reshape", "train", "evaluate", "report"):
        assert project.invoke("--params", parameters, "--pipelines", stage).exit_code == 0
    assert (project.path / LOGITS).read_bytes() == (short.path / LOGITS).read_bytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_second_run_gives_the_same_weights_to_the_bit_if_its_seed_is_the_same(
    project: Project, short: Project, seed: int
) -> None:
    done = project.invoke("--params", f"{DIGITS},training.seed={seed}", "--to-nodes", "train")
    assert done.exit_code == 0, done.output
    assert (weights(project.last_run()) == weights(short.last_run())) is (seed == 1)


def test_a_preset_changes_only_what_it_names(project: Project) -> None:
    (project.path / "conf/narrow").mkdir()
    (project.path / "conf/narrow/parameters.yml").write_text(
        "training: {threads: 1}\n" + PINNED.replace("lstm", "lstm, hidden_size: 16")
    )
    assert project.invoke("--env", "narrow", "--params", DIGITS, "--to-nodes", "ingest").exit_code == 0
    run = project.last_run()
    assert run.info.run_name == "lstm16 rows s1 narrow iterations=30 digits"
    assert (run.data.params["model.num_layers"], run.data.tags["preset"]) == ("1", "narrow")


# with another way to train


@pytest.mark.slow
def test_a_run_by_epochs_with_all_that_training_offers_evaluates_the_averaged_weights(project: Project) -> None:
    ways = (
        "training.iterations=null,training.epochs=3,training.warmup=5,training.optimizer=adamw,training.patience=20,"
        "training.schedule=one_cycle,training.clip_norm=1.0,training.label_smoothing=0.1,training.ema_decay=0.9,"
        "training.augmentation.rotation=5.0,training.augmentation.elastic=0.2,training.precision=auto,"
        "training.device=auto"
    )
    done = project.invoke("--params", f"data.name=digits,{ways}")
    assert done.exit_code == 0, done.output
    updates = math.ceil(3 * 1257 / 128)
    assert f"update {updates} of {updates}" in done.output
    (file,) = project.checkpoints()
    state = from_bytes(file.read_bytes(), file.name).state
    assert (state.iteration, state.ended) == (updates, True)
    assert state.average is not None
    run = project.last_run()
    assert weights(run) == weights_digest(state.average)
    assert run.data.tags["device"] in ("cpu", "cuda")


# where no mirror answers


def test_where_no_mirror_answers_output_record_and_card_say_so_and_no_file_is_left(project: Project) -> None:
    project.set_mirrors(CLOSED)
    done = project.invoke("--params", "training.iterations=30", *TESTED)
    assert done.exit_code == 0, done.output
    output = " ".join(done.output.split())
    assert "This run is on the bundled 8x8 digits (not MNIST)" in output
    assert "Data 360 test images of bundled 8x8 digits (not MNIST)" in output
    run, card = project.last_run(), project.read("02_intermediate/data_card.json")
    assert run.info.run_name == "lstm128 rows s1 iterations=30 digits"
    assert run.data.tags["data"] == "bundled 8x8 digits (not MNIST)"
    used = {entry.dataset.name for entry in run.inputs.dataset_inputs}
    assert used == {f"digits {split}" for split in ("train", "valid", "test")}
    assert (card["requested"], card["name"]) == ("mnist", "digits")
    assert {path.suffix for path in (project.path / "data/01_raw").rglob("*") if path.is_file()} <= {".lock"}


# after kill -9


@pytest.mark.slow
def test_a_run_resumed_after_kill_9_ends_with_the_bits_of_one_that_was_never_interrupted(
    project: Project, tmp_path: Path, empty_store: Path
) -> None:
    parameters = "data.name=digits,training.iterations=1000,training.report_seconds=0.0,model.dropout=0.2"
    process = project.start_training("--params", parameters)
    process.kill()
    process.wait()
    assert (project.last_run().info.status, project.last_run().data.tags.get("reason")) == ("RUNNING", None)
    (checkpoint,) = project.checkpoints()

    def resume_and_kill(seconds: float) -> None:
        before, process = checkpoint.stat().st_mtime_ns, project.start("--params", f"{parameters},training.resume=true")
        wait_for(lambda: process.poll() is not None or checkpoint.stat().st_mtime_ns > before)
        time.sleep(seconds)
        process.kill()
        assert process.wait() == -signal.SIGKILL

    for seed in range(3):
        resume_and_kill(random.Random(seed).uniform(0, 0.3))
    for _ in range(2):
        assert project.invoke("--params", f"{parameters},training.resume=true", *TESTED).exit_code == 0
    again, resumed, *interrupted = project.runs()
    assert [run.info.status for run in interrupted] == ["KILLED"] * 4
    assert {run.data.tags["reason"] for run in interrupted} == {"its process was gone when the next run started"}
    assert resumed.data.tags["continues"] == interrupted[0].info.run_id
    assert "continues" not in again.data.tags

    other = copied(tmp_path / "other", empty_store)
    assert other.invoke("--params", parameters, *TESTED).exit_code == 0
    uninterrupted = other.last_run()
    assert weights(resumed) == weights(uninterrupted)
    assert (project.path / LOGITS).read_bytes() == (other.path / LOGITS).read_bytes()
    assert resumed.data.metrics == uninterrupted.data.metrics
    points = project.client().get_metric_history(resumed.info.run_id, "train/loss")
    assert sorted(point.step for point in points) == list(range(10, 1001, 10))


# on MNIST itself


@needs_mnist
@pytest.mark.slow
def test_the_tutorials_run_on_mnist_is_as_good_as_the_tutorials(mnist: Project) -> None:
    run = mnist.last_run()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "lstm128 rows s1 mnist")
    assert run.data.tags["data"] == "MNIST"
    assert mnist.read("08_reporting/metrics.json")["test/images"] == 10000
    assert 0.955 <= run.data.metrics["test/accuracy"] <= 0.975
    assert {f"{split}/{measure}" for split in ("train", "valid", "test") for measure in ("loss", "accuracy")} <= set(
        run.data.metrics
    )


@needs_mnist
@pytest.mark.slow
def test_mnist_is_split_as_in_the_tutorial(mnist: Project) -> None:
    card = mnist.read("02_intermediate/data_card.json")
    assert card["images"] == {"train": 55000, "valid": 5000, "test": 10000}
    assert arrays(mnist, "02_intermediate/test_images.npz")["labels"][:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


@needs_mnist
@pytest.mark.slow
def test_pictures_made_of_mnist_are_read_as_well_as_the_images(mnist: Project, tmp_path: Path) -> None:
    part, random = arrays(mnist, "02_intermediate/test_images.npz"), np.random.default_rng(1)
    for position in range(200):
        times, kind = int(random.integers(2, 15)), ("png", "jpg", "tif", "bmp", "gif", "webp")[position % 6]
        large = Image.fromarray(part["images"][position]).resize((28 * times, 28 * times), Image.Resampling.BICUBIC)
        canvas = Image.new("L", tuple(28 * times + random.integers(1, 800, 2)))
        canvas.paste(large, tuple(random.integers(0, np.subtract(canvas.size, large.size))))
        inverted = ImageOps.invert(canvas) if position % 2 else canvas
        inverted.save(tmp_path / f"{position:03d}_{part['labels'][position]}.{kind}")
    done = mnist.run("--pipelines", "predict", "--params", f"predict.folder={tmp_path}")
    assert done.returncode == 0, done.stdout
    answers = pd.read_csv(mnist.path / "data/07_model_output/predictions.csv", dtype=str)
    assert (answers["digit"] == answers["file"].str[4]).mean() >= 0.95
