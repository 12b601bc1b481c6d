"""Reshape: the three splits of images to the three splits of sequences."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.reshape.nodes import reshape


def create_pipeline() -> Pipeline:
    """The stage that turns images into sequences."""
    return Pipeline(
        [
            Node(
                reshape,
                inputs=["train_images", "valid_images", "test_images", "params:sequence"],
                outputs=["train_sequences", "valid_sequences", "test_sequences"],
                name="reshape",
            )
        ]
    )
