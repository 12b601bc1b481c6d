import os
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Node
from kedro.pipeline.preview_contract import MermaidPreview

from mnist_lstm.core.plots.network_diagram import Sizes, sizes_of, unrolled
from mnist_lstm.core.training import checkpoint
from mnist_lstm.pipelines.train import pipeline as train
from tests.support import tiny

# Kedro 1.7 reads the fields of typed parameters in a way that pydantic 2.11 warns of
pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_fields' attribute")

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with this one's configuration."""
    (tmp_path / "conf").symlink_to(PROJECT / "conf")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)  # what is written into it must not reach the project's own
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Kedro puts the project's source into both
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    bootstrap_project(tmp_path)
    return tmp_path


def preview() -> MermaidPreview:
    (node,) = train.create_pipeline().only_nodes("train").nodes
    shown = node.preview()
    assert isinstance(shown, MermaidPreview)
    return shown


def test_the_training_node_shows_the_network_that_was_trained_last_and_letters_before(project: Path) -> None:
    assert preview().content == unrolled(Sizes())
    place = project / "data" / "06_models" / "checkpoints"
    place.mkdir(parents=True)
    (place / "0123.pt").write_bytes(checkpoint.to_bytes(tiny.checkpoint(layers=2)))
    assert preview().content == unrolled(sizes_of(tiny.checkpoint(layers=2)))


def test_the_pipeline_is_made_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Node, "__preview_fn_warned__", False, raising=False)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        train.create_pipeline()
    assert found == []
