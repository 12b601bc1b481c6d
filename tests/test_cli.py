import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm.datasets.images import FILES
from tests.projects import CLOSED, DIGITS, Project, surroundings

pytest_plugins = ["tests.projects"]

PARAMETERS = "conf/base/parameters.yml"

MISTAKES = {
    # mistyped keys, at every level
    "trian.seed=1": ["'trian'", "did you mean 'training"],
    "sequnce=1": ["'sequnce'", "did you mean 'sequence"],
    "training.sed=1": ["'training.sed'", "did you mean 'training.seed'"],
    "model.hidden=1": ["'model.hidden'", "did you mean 'model.hidden_size'"],
    "data.nam=mnist": ["'data.nam'", "did you mean 'data.name'"],
    "evaluation.confidense=0.9": ["'evaluation.confidense'", "did you mean 'evaluation.confidence'"],
    "learning_rate=0.1": ["'learning_rate'", "did you mean 'training.learning_rate'"],
    "tracking.enbled=false": ["'tracking.enbled'", "did you mean"],
    "tracking.experiment.nam=x": ["'tracking.experiment.nam'", "did you mean"],
    # values that cannot be
    "training.seed=-1": ["'training.seed'", "-1"],
    "training.iterations=0": ["'training.iterations'", "not 0"],
    "training.learning_rate=-0.1": ["'training.learning_rate'", "-0.1"],
    "training.learning_rate=nan": ["'training.learning_rate'", "nan"],
    "training.batch_size=1.5": ["'training.batch_size'", "1.5"],
    "training.resume=perhaps": ["'training.resume'", "'perhaps'"],
    "training=3": ["'training'", "not 3"],
    "model.hidden_size=abc": ["'model.hidden_size'", "'abc'"],
    "model.dropout=1.0": ["'model.dropout'", "1.0"],
    "model.cell=lsmt": ["'model.cell'", "'lsmt'"],
    "sequence.view=row": ["'sequence.view'", "'row'"],
    "evaluation.confidence=1.0": ["'evaluation.confidence'", "1.0"],
    "data.timeout=0.0": ["'data.timeout'", "0.0"],
    "data.on_unreachable=ignore": ["'data.on_unreachable'", "'ignore'"],
    "data.name=digit": ["'data.name'", "'digit'", "did you mean 'digits'"],
    "data.name=cifar": ["'data.name'", "'cifar'", "digits, fashion_mnist, kmnist or mnist"],
    "tracking.enabled=perhaps": ["'tracking.enabled'", "perhaps"],
    "tracking=3": ["'tracking'", "3"],
}


def told(done: Any) -> str:
    """The last line of a run that failed as a user's mistake should."""
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert done.output, f"it raised {done.exception!r}"
    last: str = done.output.splitlines()[-1]
    assert last.startswith("Error: "), f"it raised {done.exception!r}"
    return last


def missing(parts: list[str], line: str) -> list[str]:
    return [part for part in parts if part not in line]


@pytest.mark.parametrize("parameters", MISTAKES)
def test_a_wrong_parameter_is_told_in_one_line(project: Project, parameters: str) -> None:
    line = told(project.invoke("--params", parameters))
    assert missing(MISTAKES[parameters], line) == [], line


def test_every_wrong_parameter_is_told_at_once(project: Project) -> None:
    line = told(project.invoke("--params", "training.seed=-1,model.hiden_size=3"))
    assert "'training.seed'" in line
    assert "'model.hiden_size'" in line


@pytest.mark.parametrize("parameters", ["training.sed=1", "data.name=digit", "tracking.enbled=true"])
def test_a_wrong_parameter_is_told_before_anything_is_read_or_written(project: Project, parameters: str) -> None:
    told(project.invoke("--params", parameters))
    assert not [path for path in (project.path / "data").rglob("*") if path.is_file()]
    assert project.runs() == []


OPTIONS = [
    (["--pipelines", "trian"], ["'trian'", "did you mean 'train'"]),
    (["--pipelines", "ingest,reshap"], ["'reshap'", "did you mean 'reshape'"]),
    (["--pipeline", "trian"], ["'trian'", "did you mean 'train'"]),
    (["--env", "tuturial"], ["--env must be a folder of conf/, accurate, fast or local, not 'tuturial'"]),
    (["--env", "fats"], ["'fats' (did you mean 'fast'?)"]),
    (["--nodes", "trian"], ["--nodes", "'trian' (did you mean 'train'?)"]),
    (["--from-nodes", "trian"], ["--from-nodes must be draw_beliefs, ", "'trian' (did you mean 'train'?)"]),
    (["--to-nodes", "reshap"], ["--to-nodes", "'reshap' (did you mean 'reshape'?)"]),
    (["--from-nodes", "predict_pictures"], ["'predict_pictures' (a node of --pipelines predict)"]),
    (
        ["--pipelines", "evaluate", "--from-nodes", "export"],
        ["'export'", "(a node of --pipelines train or without_figures)"],
    ),
    (["--tags", "figure"], ["--tags must be figures, not 'figure' (did you mean 'figures'?)"]),
    (["--pipelines", "ingest", "--tags", "figures"], ["--tags must be left out, not 'figures'"]),
    (["--from-inputs", "checkpont"], ["--from-inputs", "'checkpont' (did you mean 'checkpoint'?)"]),
    (["--to-outputs", "metric"], ["--to-outputs", "'metric' (did you mean 'metrics'?)"]),
    (["--params", "training.seed"], ["training.seed"]),
    (["--runner", "FastRunner"], ["FastRunner"]),
    (["--wrong"], ["--wrong"]),
]


@pytest.mark.parametrize(("options", "parts"), OPTIONS, ids=lambda value: " ".join(value))
def test_a_wrong_option_is_told_in_one_line(project: Project, options: list[str], parts: list[str]) -> None:
    line = told(project.invoke(*options))
    assert missing(parts, line) == [], line


def write(name: str, content: str | bytes) -> Callable[[Project], None]:
    """Writes a file of the project."""

    def written(project: Project) -> None:
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return written


def append(name: str, content: str) -> Callable[[Project], None]:
    """Appends to a file of the project."""
    return lambda project: write(name, (project.path / name).read_text() + content)(project)


def replace(name: str, old: str, new: str) -> Callable[[Project], None]:
    """Replaces part of a file of the project."""
    return lambda project: write(name, (project.path / name).read_text().replace(old, new, 1))(project)


FILE_MISTAKES: dict[str, tuple[Callable[[Project], None], list[str], list[str]]] = {
    "parameters.yml is no YAML": (append(PARAMETERS, "model: [\n"), [], ["conf/base/parameters.yml"]),
    "catalog.yml is no YAML": (append("conf/base/catalog.yml", "metrics: [\n"), [], ["conf/base/catalog.yml"]),
    "mlflow.yml is no YAML": (append("conf/base/mlflow.yml", "server: [\n"), [], ["conf/base/mlflow.yml"]),
    "parameters.yml misses a key": (replace(PARAMETERS, "  seed: 1\n", ""), [], ["'training.seed' is missing"]),
    "parameters.yml is empty": (write(PARAMETERS, ""), [], ["'data' is missing"]),
    "a preset mistypes a key": (
        write("conf/wide/parameters.yml", "model: {hiden_size: 256}\n"),
        ["--env", "wide"],
        ["'model.hiden_size'", "did you mean 'model.hidden_size'"],
    ),
    "mlflow.yml mistypes a key": (
        replace("conf/base/mlflow.yml", "enabled:", "enbled:"),
        [],
        ["enbled", "mlflow.yml"],
    ),
    "a source misses its checksum": (
        replace("conf/base/catalog.yml", "checksum: sha256:440", "cheksum: sha256:440"),
        [],
        ["'mnist.files.train_images.checksum'", "catalog.yml"],
    ),
    "a dataset's type is mistyped": (
        replace("conf/base/catalog.yml", "arrays.NpzDataset", "arrays.NpDataset"),
        [],
        ["train_sequences"],
    ),
    "a kind of record is mistyped": (
        replace("conf/base/catalog.yml", "mlflow: metrics", "mlflow: metrix"),
        ["--params", DIGITS],
        ["metrix"],
    ),
    "a downloaded file is not the right one": (
        write(f"data/01_raw/mnist/{FILES['train_images']}", gzip.compress(b"hello")),
        [],
        [FILES["train_images"], "9912422 bytes", "delete it"],
    ),
    "no mirror answers and the run must not go on": (
        lambda project: project.set_mirrors(CLOSED),
        ["--params", "data.on_unreachable=fail"],
        [FILES["train_images"], CLOSED, "Put the file into", "data/01_raw/mnist"],
    ),
    "there is nothing to resume": (
        lambda project: None,
        ["--params", f"{DIGITS},training.resume=true"],
        ["training.resume", "found none"],
    ),
}


@pytest.mark.parametrize("mistake", FILE_MISTAKES)
def test_a_wrong_file_is_told_in_one_line(project: Project, mistake: str) -> None:
    prepare, options, parts = FILE_MISTAKES[mistake]
    prepare(project)
    line = told(project.invoke(*options))
    assert missing(parts, line) == [], line


LEFT_MISTAKES: dict[str, tuple[str, list[str]]] = {
    "06_models/checkpoints/new.pt": ("predict_test", ["new.pt", "must be a whole checkpoint"]),
    "02_intermediate/data_card.json": ("score", ["data_card.json"]),
    "02_intermediate/train_images.npz": ("reshape", ["train_images.npz", "must be a whole npz file"]),
    "05_model_input/test_sequences.npz": ("predict_test", ["test_sequences.npz", "must be a whole npz file"]),
    "08_reporting/history.csv": ("draw_results", ["history.csv"]),
}


@pytest.mark.parametrize("name", LEFT_MISTAKES)
def test_a_damaged_file_that_an_earlier_run_left_is_told_in_one_line(
    finished: Project, tmp_path: Path, name: str
) -> None:
    project = finished.copied_to(tmp_path)
    (project.path / "data" / name).write_text('"')
    node, parts = LEFT_MISTAKES[name]
    line = told(project.invoke("--nodes", node, "--params", "data.name=digits,tracking.enabled=false"))
    assert missing(parts, line) == [], line


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("02_intermediate/train_images.npz", "reshape"),
        ("05_model_input/train_sequences.npz", "train"),
        ("06_models/checkpoints", "predict_test"),
        ("07_model_output/predictions.npz", "score"),
    ],
)
def test_a_file_that_is_not_there_yet_is_told_in_one_line(project: Project, name: str, node: str) -> None:
    assert Path(name).name in told(project.invoke("--nodes", node, "--params", f"{DIGITS},tracking.enabled=false"))


def test_resuming_with_other_parameters_is_told_with_what_differs(finished: Project, tmp_path: Path) -> None:
    project = finished.copied_to(tmp_path)
    line = told(project.invoke("--params", "data.name=digits,training.resume=true,training.seed=2"))
    assert "training.seed is 2, was 1" in line


# The same in a process of its own, where Kedro's own command line has the last word

PROCESSES = [
    (["--params", "trian.seed=1"], "'trian'"),
    (["--pipelines", "trian"], "'trian'"),
    (["--nodes", "trian"], "'trian'"),
    (["--env", "tuturial"], "tuturial"),
]


@pytest.mark.parametrize(
    ("options", "part"), PROCESSES, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_kedro_run_tells_a_mistake_in_its_last_line_and_by_its_exit_code(
    project: Project, options: list[str], part: str
) -> None:
    done = project.run(*options)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert last.startswith("Error: ")
    assert part in last


def test_the_package_as_a_program_tells_a_mistake_the_same_way(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mnist_lstm", "--params", "trian.seed=1"],
        cwd=project.path,
        env=surroundings(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: parameter 'trian' is unknown")


def test_the_projects_run_has_all_options_of_kedros_own() -> None:
    from kedro.framework.cli.project import run as kedro_run

    from mnist_lstm.cli import run

    assert [option.name for option in run.params] == [option.name for option in kedro_run.params]
