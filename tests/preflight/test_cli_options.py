from pathlib import Path

import pytest
from kedro.pipeline import Pipeline

from mnist_lstm.errors import UserError
from mnist_lstm.preflight import cli_options
from mnist_lstm.preflight.cli_options import expect_known, expect_preset


def test_files_of_other_tools_may_lie_in_a_preset(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for tool in ("airflow", "dagster", "kubeflow", "spark", "flow", "metaflow", "meters", "notes", "arms"):
        (tmp_path / "mine" / f"{tool}.{'json' if tool == 'notes' else 'yml'}").write_text("{}")
        expect_preset("mine", str(tmp_path))


@pytest.mark.parametrize(
    "name", ["params.yml", "paramters_big.yml", "sub/parametres.yaml", "catlog.json", "ml_flow.yml"]
)
def test_a_misspelt_configuration_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "local" / name).parent.mkdir(parents=True)
    (tmp_path / "local" / name).write_text("{}")
    with pytest.raises(UserError, match=r"must begin with '(parameters|catalog|mlflow)'"):
        expect_preset(None, str(tmp_path))


@pytest.mark.parametrize(
    ("name", "hint"), [("ingest", r"\(add it to pipeline_registry\.py\)"), ("trian", r"\(did you mean 'train'\?\)")]
)
def test_a_pipeline_that_was_made_and_not_registered_is_told_so(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setattr(cli_options, "pipelines", {"__default__": Pipeline([]), "train": Pipeline([])})
    options = {"is_async": False, "runner_params": {}, "runner": "SequentialRunner", "pipelines": [name]}
    with pytest.raises(UserError, match=f"^pipeline must be .*, not '{name}' {hint}"):
        expect_known(options)
