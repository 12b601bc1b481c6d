"""Ingest: image_sources to the three splits and their card."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.ingest.nodes import ingest


def create_pipeline() -> Pipeline:
    """The stage that reads, checks and splits the images."""
    return Pipeline(
        [
            Node(
                ingest,
                inputs=["image_sources", "params:data"],
                outputs=["train_images", "valid_images", "test_images", "data_card"],
                name="ingest",
            )
        ]
    )
