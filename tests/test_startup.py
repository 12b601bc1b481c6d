import copy
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_lstm.pipeline_registry import register_pipelines
from tests.support.projects import REPOSITORY, Project, surroundings
from tests.test_project import names

HEAVY = {"torch", "mlflow", "pandas", "sklearn", "matplotlib", "plotly"}


def modules_after(statements: str, folder: Path = REPOSITORY) -> set[str]:
    """The modules that a process has imported once it has run these statements in the root of a project."""
    command = [sys.executable, "-c", f"import sys\n{statements}\nprint(*sys.modules)"]
    done = subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_starts_without_the_heavy_libraries_and_makes_no_pipeline() -> None:
    modules = modules_after(
        "import mnist_lstm.cli, mnist_lstm.settings, mnist_lstm.console\n"
        "from mnist_lstm.pipeline_registry import register_pipelines\n"
        "assert len(register_pipelines()) == 8"
    )
    assert not {module for module in modules if module in HEAVY or module.startswith("mnist_lstm.pipelines.")}


CALL_KEDRO = """
from kedro.framework.cli.cli import main

sys.argv = ["kedro", *{words}]
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("words", [["--help"], ["registry", "list"]])
def test_a_command_that_runs_nothing_does_not_wait_for_the_heavy_libraries(words: list[str]) -> None:
    modules = modules_after(CALL_KEDRO.format(words=words))
    assert "mnist_lstm.cli" in modules
    assert HEAVY & modules == set()


def test_a_run_that_only_trains_does_not_wait_for_the_compiler_of_torch(project: Project) -> None:
    words = ["run", "--to-nodes", "train", "--params", "data.name=digits,training.iterations=2,training.clip_norm=1.0"]
    modules = modules_after(CALL_KEDRO.format(words=words), project.path)
    assert project.checkpoints()
    assert "torch.optim" in modules
    assert "torch._dynamo" not in modules


def test_a_model_is_logged_without_ipython_which_takes_half_a_second_to_load(project: Project) -> None:
    words = ["run", "--to-nodes", "export", "--params", "data.name=digits,training.iterations=2"]
    modules = modules_after(CALL_KEDRO.format(words=words), project.path)
    assert "mlflow.pytorch" in modules
    assert "IPython" not in modules


def test_interactive_curves_are_drawn_without_plotly_which_takes_a_second_to_load() -> None:
    modules = modules_after(
        "import numpy as np\nfrom mnist_lstm.core.plots.learning_curves import learning_curves_figures\n"
        "names = ['train_loss', 'train_accuracy', 'valid_loss', 'valid_accuracy']\n"
        "history = dict.fromkeys(names, np.ones(2)) | {'iteration': np.arange(2)}\n"
        "assert len(learning_curves_figures(history, 10, 'Curves')[0]['data']) == 4"
    )
    assert "plotly" not in modules


def test_a_registered_pipeline_is_one_like_any_other() -> None:
    registered = register_pipelines()
    assert names(registered["ingest"] + registered["train"]) == {"ingest.ingest", "train.train", "train.export"}
    assert names(copy.copy(registered["reshape"])) == {"reshape.reshape"}
    assert not hasattr(registered["train"], "color")
