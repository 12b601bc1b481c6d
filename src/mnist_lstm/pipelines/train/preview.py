"""What Kedro-Viz shows of the training node: the unrolled network."""

from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.pipeline.preview_contract import MermaidPreview
from kedro.utils import find_kedro_project

from mnist_lstm.core.plots.network_diagram import Sizes, sizes_of, unrolled


def network() -> MermaidPreview:
    """The network that was trained last, with its sizes; letters stand for them where none has been trained yet."""
    session: KedroSession = KedroSession.create(project_path=find_kedro_project(Path.cwd()))
    with session:
        catalog = session.load_context().catalog
        sizes = sizes_of(catalog.load("checkpoint")) if catalog.exists("checkpoint") else Sizes()
    return MermaidPreview(content=unrolled(sizes), meta={"flowchart": {"useMaxWidth": False}})  # or it is drawn tiny
