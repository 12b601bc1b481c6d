"""Arms: parameters of a preset that change together in a sweep."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from mnist_lstm.errors import UserError
from mnist_lstm.sweep.base_parameters import BaseParameters, arms_of, from_root
from mnist_lstm.sweep.grid import Grid
from tests.conftest import PARAMETERS

ARMS: dict[str, dict[str, Any]] = {
    "small": {"model.hidden_size": 4},
    "gru": {"model.cell": "gru", "training.learning_rate": 0.5},
}


def base(**arms: dict[str, Any]) -> BaseParameters:
    raw = yaml.safe_load(PARAMETERS.read_text())
    return BaseParameters(Path("project"), "few", {"training": {"threads": 1}}, raw, mock.Mock(), arms)


def test_a_trial_trains_what_its_arm_changes_and_a_parameter_of_its_own_counts() -> None:
    shared, changes = base(**ARMS), {"arm": "gru", "training.learning_rate": 0.1, "training.seed": 7}
    found = shared.parameters(changes)
    assert (found.model.cell, found.training.learning_rate, found.training.seed) == ("gru", 0.1, 7)
    assert shared.parameters({"arm": "gru"}).training.learning_rate == 0.5
    given = shared.run_params(changes, name="one")
    assert "arm" not in given
    assert given["training"] == {"threads": 1, "learning_rate": 0.1, "seed": 7}


def test_a_grid_has_a_trial_for_each_arm_and_seed_and_another_content_is_another_study() -> None:
    grid = Grid(base(**ARMS), {"arm": ["small", "gru"]}, seeds=2)
    assert [trial.name for trial in grid.trials] == [f"arm={arm} seed={seed}" for arm in ARMS for seed in (1, 2)]
    other = Grid(base(**(ARMS | {"small": {"model.hidden_size": 5}})), {"arm": ["small", "gru"]}, seeds=2)
    assert grid.specification != other.specification


def test_an_arm_that_the_preset_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(UserError, match=r"--grid arm must be one of conf/few/arms\.yml \(gru or small\), not 'gruu'"):
        Grid(base(**ARMS), {"arm": ["gruu"]}, seeds=1)
    with pytest.raises(UserError, match="--grid arm must be left out, not 'gru'"):
        base().parameters({"arm": "gru"})


def test_a_file_without_arms_has_none_and_an_arm_that_is_no_block_of_parameters_is_named(tmp_path: Path) -> None:
    (file := tmp_path / "conf/few/arms.yml").parent.mkdir(parents=True)
    assert arms_of(tmp_path, "few") == {}
    file.write_text("# none yet")
    assert arms_of(tmp_path, "few") == {}
    file.write_text("small: {training.learning_rate: 1e-3}")  # a number, as in a preset
    assert arms_of(tmp_path, "few") == {"small": {"training.learning_rate": 0.001}}
    file.write_text("small: 3")
    with pytest.raises(UserError, match=r"arms\.yml must hold for each arm a block .*, found 3 for 'small'; mend it"):
        arms_of(tmp_path, "few")


def test_a_path_of_ones_own_is_relative_to_the_projects_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/x.csv").write_text("")
    monkeypatch.chdir(tmp_path / "notebooks")
    for given, expected in (("x.csv", "notebooks/x.csv"), ("y.csv", "y.csv"), (2024, 2024), ("/y.csv", "/y.csv")):
        assert from_root({"data": {"path": given}}, tmp_path) == {"data": {"path": expected}}
    assert from_root({"data": "digits"}, tmp_path) == {"data": "digits"}
