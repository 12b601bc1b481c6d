"""Names of version 0.1 are accepted: on the command line, in presets, in checkpoints and in records."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import ModelParameters, Parameters
from mnist_lstm.preflight.config_loader import ConfigLoader
from mnist_lstm.renamed_parameters import _log, with_current_names
from mnist_lstm.settings import CONFIG_LOADER_ARGS
from mnist_lstm.sweep.base_parameters import split_option
from mnist_lstm.tracking.compare import table
from mnist_lstm.tracking.compare.runs import Compared
from tests.support.projects import DIGITS, Project, copied

OLD, NEW = "model.readout", "model.pooling"
ONE_LINE = f"parameter '{OLD}' is now '{NEW}'; rename it in"


@pytest.fixture(autouse=True)
def logged_anew() -> None:
    _log.cache_clear()


def read(folder: Path, env: str | None = None, **given: Any) -> Any:
    """The merged parameters of a copy of the project."""
    loader = ConfigLoader(str(folder / "conf"), env, given, **CONFIG_LOADER_ARGS)
    assert loader["parameters"] == loader["parameters"]
    return loader["parameters"]


def test_the_old_name_on_the_command_line_sets_the_parameter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = read(copied(tmp_path).path, model={"readout": "mean", "hidden_size": 8})
    assert (found["model"]["pooling"], found["model"]["hidden_size"]) == ("mean", 8)
    assert "readout" not in found["model"]
    assert [record.message for record in caplog.records] == [
        f"{ONE_LINE} --params (version 0.3 will refuse the old name)."
    ]


@pytest.mark.parametrize("env", ["base", "local", "preset"])
def test_the_old_name_in_a_file_sets_the_parameter(tmp_path: Path, caplog: pytest.LogCaptureFixture, env: str) -> None:
    folder = copied(tmp_path).path
    file = folder / "conf" / env / ("parameters.yml" if env == "base" else "parameters_own.yml")
    file.parent.mkdir(exist_ok=True)
    base = file.read_text().replace("pooling: last", "readout: attention") if env == "base" else ""
    file.write_text(base or "model:\n  readout: attention\n")
    found = read(folder, env)
    assert found["model"]["pooling"] == "attention"
    assert "readout" not in found["model"]
    assert [record.message.startswith(f"{ONE_LINE} {file} ") for record in caplog.records] == [True]


def test_the_command_line_overrides_the_old_name_in_a_file(tmp_path: Path) -> None:
    folder = copied(tmp_path).path
    (folder / "conf/local/parameters.yml").write_text("model:\n  readout: attention\n")
    assert read(folder, model={"pooling": "mean"})["model"]["pooling"] == "mean"
    assert read(folder, model={"readout": "mean"})["model"]["pooling"] == "mean"


@pytest.mark.parametrize("values", [{}, {"model": None}, {"model": "lstm"}, {"model": {"cell": "gru"}}, {NEW: 1}])
def test_values_without_an_old_name_stay_as_they_are(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    assert with_current_names(values, "--params") == values
    assert not caplog.records


def test_both_names_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"'{NEW}' must be given once, found its old name '{OLD}' too; remove that"):
        read(copied(tmp_path).path, model={"readout": "mean", "pooling": "mean"})
    with pytest.raises(UserError, match="must be given once"):
        with_current_names({OLD: "last", NEW: "last"})


def test_a_stored_model_of_version_0_1_is_read_without_a_word(
    parameters: Parameters, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stored = parameters.model.model_dump()
    stored["readout"] = stored.pop("pooling")
    assert ModelParameters.recorded(stored) == parameters.model
    assert (
        ModelParameters.recorded({key: stored[key] for key in stored if key not in ("gates", "zoneout")})
        == parameters.model
    )
    assert not caplog.records


def test_an_option_of_a_sweep_may_have_the_old_name() -> None:
    assert split_option("--grid", f"{OLD}=last,mean") == (NEW, "last,mean")


def test_an_old_and_a_new_run_are_compared_in_one_row() -> None:
    groups: list[Any] = []
    for key, value in ((OLD, "mean"), (NEW, "last")):
        data = SimpleNamespace(params={key: value}, tags={"data": "MNIST"})
        used = SimpleNamespace(dataset_inputs=[])
        entry = SimpleNamespace(info=SimpleNamespace(status="FINISHED"), data=data, inputs=used)
        groups.append(SimpleNamespace(runs=[Compared("", entry, None, {}, {}, {})]))
    assert table.differences(groups) == {NEW: ["mean", "last"]}


def test_a_run_with_the_old_name_is_the_same_training(project: Project) -> None:
    small = f"{DIGITS},model.hidden_size=4,tracking.enabled=false"
    for key in (NEW, OLD):
        done = project.invoke("--params", f"{small},{key}=mean", "--to-nodes", "train")
        assert done.exit_code == 0, done.output
        assert len(project.checkpoints()) == 1
