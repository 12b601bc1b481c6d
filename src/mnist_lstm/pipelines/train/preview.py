"""The preview of the training node in Kedro-Viz: the unrolled network."""

from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.pipeline.preview_contract import MermaidPreview
from kedro.utils import find_kedro_project

from mnist_lstm.core.plots.network_diagram import Sizes, sizes_of, unrolled


def network() -> MermaidPreview:
    """The last trained network with its sizes; letters replace the sizes if none has been trained yet."""
    session: KedroSession = KedroSession.create(project_path=find_kedro_project(Path.cwd()))
    with session:
        catalog = session.load_context().catalog
        sizes = sizes_of(catalog.load("checkpoint")) if catalog.exists("checkpoint") else Sizes()
    # Without useMaxWidth false, it is drawn tiny
    return MermaidPreview(content=unrolled(sizes), meta={"flowchart": {"useMaxWidth": False}})
