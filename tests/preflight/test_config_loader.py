from pathlib import Path
from typing import Any

import pytest
import yaml

from mnist_lstm.errors import UserError
from mnist_lstm.preflight.config_loader import ConfigLoader


def write(folder: Path, name: str, content: str) -> None:
    (folder / "wide").mkdir(exist_ok=True)
    (folder / "base").mkdir(exist_ok=True)
    (folder / "base/parameters.yml").write_text("training: {augmentation: {shift: 0.0}}\n")
    (folder / "wide" / name).write_text(content)


def loader(folder: Path) -> ConfigLoader:
    return ConfigLoader(folder, env="wide", base_env="base", merge_strategy={"parameters": "soft"})


def test_a_null_in_one_file_and_a_block_in_another_of_a_preset_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, "parameters.yml", "training: {augmentation: null}\n")
    write(tmp_path, "parameters_wide.yml", "training: {augmentation: {shift: 1.0}}\n")
    with pytest.raises(UserError, match=r"^'training.augmentation' must be null or a block .*null in .*ters\.yml"):
        loader(tmp_path)["parameters"]


def test_a_preset_may_replace_a_block_of_base_by_null_and_spread_over_files(tmp_path: Path) -> None:
    write(tmp_path, "parameters.yml", "training: {augmentation: null}\n")
    write(tmp_path, "parameters_wide.yml", "model: {cell: gru}\n")
    found = loader(tmp_path)
    for _ in range(2):  # what one who reads changes, the next does not see
        assert found["parameters"] == {"training": {"augmentation": None}, "model": {"cell": "gru"}}
        del found["parameters"]["model"]


def test_a_block_whose_keys_are_all_commented_out_leaves_those_of_base(tmp_path: Path) -> None:
    write(tmp_path, "parameters.yml", "training:\n  # iterations: 5\nmodel: {cell: gru}\nof_mine: null\n")
    (tmp_path / "base/mlflow.yml").write_text("tracking: {onnx: true}\n")
    (tmp_path / "wide/mlflow.yml").write_text("tracking:\n")
    arguments: dict[str, Any] = {"base_env": "base", "merge_strategy": {"parameters": "soft", "mlflow": "soft"}}
    found = ConfigLoader(tmp_path, "wide", config_patterns={"mlflow": ["mlflow*"]}, **arguments)
    blocks = {"training": {"augmentation": {"shift": 0.0}}, "model": {"cell": "gru"}}
    assert found["parameters"] == blocks | {"of_mine": None}
    assert found["mlflow"] == {"tracking": {"onnx": True}}


@pytest.mark.parametrize("name", ["data [old]", "what?", "all*"])
def test_a_folder_that_kedro_would_take_for_a_pattern_is_refused_by_its_character(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"must not hold '[\[?*]', which Kedro takes for a pattern"):
        loader(tmp_path / name)


def test_keys_with_dots_are_those_of_blocks(tmp_path: Path) -> None:
    write(tmp_path, "parameters.yml", "model.cell: gru\nmodel: {dropout: 0.5}\n")
    found = ConfigLoader(tmp_path, "wide", {"training.seed": 3}, base_env="base", default_run_env="local")
    assert found["parameters"] == {"model": {"cell": "gru", "dropout": 0.5}, "training": {"seed": 3}}


def test_a_versioned_dataset_of_the_project_and_a_file_elsewhere_are_refused_by_their_entries(tmp_path: Path) -> None:
    write(tmp_path, "catalog.yml", "a: {type: others.A, versioned: true}\n")
    assert "a" in loader(tmp_path)["catalog"]
    for wrong, said in (
        ("versioned: true", r"^'metrics' in .*wide/catalog.yml must not be versioned"),
        ("filepath: s3://b/m.json", r"^'metrics\.filepath' in .*wide/catalog.yml must be a local path, found 's3:"),
    ):
        write(tmp_path, "catalog.yml", f"metrics: {{type: mnist_lstm.datasets.text.JSONDataset, {wrong}}}\n")
        with pytest.raises(UserError, match=said):
            loader(tmp_path)["catalog"]


def test_a_variable_of_another_file_of_the_catalog_is_known(tmp_path: Path) -> None:
    write(tmp_path, "catalog_here.yml", "_here: data\n")
    write(tmp_path, "catalog.yml", "metrics: {type: mnist_lstm.datasets.text.JSONDataset, filepath: '${_here}/m'}\n")
    assert loader(tmp_path)["catalog"]["metrics"]["filepath"] == "data/m"


def test_a_block_of_a_file_of_ones_own_is_no_parameter_of_the_project_and_no_mistyped_one(tmp_path: Path) -> None:
    write(tmp_path, "parameters_mine.yml", "mine: {alpha: 1}\ntraning: {seed: 1}\nmodel: {cell: gru}\n")
    (tmp_path / "base" / "parameters_also_mine.yml").write_text("also: {beta: 1}\nothers.gamma: 2\n")
    found = loader(tmp_path)
    assert found["parameters"]["mine"] == {"alpha": 1}
    assert found["parameters"]["others"] == {"gamma": 2}
    assert found.parameters().keys() == {"training", "traning", "model"}
    write(tmp_path, "parameters.yml", "mines: {alpha: 1}\n")
    assert "mines" in loader(tmp_path).parameters()


def test_a_path_of_ones_own_is_also_found_from_the_project_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("conf", "notebooks"):
        (tmp_path / name).mkdir()
    for place in ("x.csv", "y.csv", "notebooks/y.csv"):
        (tmp_path / place).write_text("")
    monkeypatch.chdir(tmp_path / "notebooks")
    for given in ("x.csv", "y.csv", "z.csv", "~none/x", None):
        expected = "../x.csv" if given == "x.csv" else given
        values = {"data": {"path": given}, "predict": {"folder": given}}
        write(tmp_path / "conf", "parameters.yml", yaml.safe_dump(values))
        of_project = loader(tmp_path / "conf")
        of_project.project = tmp_path
        found = of_project["parameters"]
        assert (found["data"]["path"], found["predict"]["folder"]) == (expected, expected)


@pytest.mark.parametrize("value", ["${oc.env:SEED}", "${nowhere}"])
def test_a_reference_to_no_value_is_refused_by_key_and_file(tmp_path: Path, value: str) -> None:
    write(tmp_path, "parameters.yml", f"training: {{seed: '{value}'}}\n")
    with pytest.raises(UserError, match=r"^'training.seed' in .*wide/parameters.yml must name a value .*--params"):
        loader(tmp_path)["parameters"]


def test_a_damaged_file_is_named_by_the_loader_and_keys_given_twice_by_kedro(tmp_path: Path) -> None:
    write(tmp_path, "parameters.yml", "training: [\n")
    with pytest.raises(UserError, match=r"wide/parameters.yml must be a YAML file in UTF-8 of keys and values"):
        loader(tmp_path)["parameters"]
    write(tmp_path, "parameters.yml", "model: {cell: gru}\n")
    write(tmp_path, "parameters_wide.yml", "model: {cell: lstm}\n")
    with pytest.raises(ValueError, match=r"Duplicate keys found in .*: model\.cell"):
        loader(tmp_path)["parameters"]
