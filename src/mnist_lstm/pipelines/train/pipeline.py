"""Train: sequences to checkpoint, history and exported model."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.train.nodes import export, train


def create_pipeline() -> Pipeline:
    """The stage that trains the classifier and exports it."""
    return Pipeline(
        [
            Node(
                train,
                inputs=[
                    "train_sequences",
                    "valid_sequences",
                    "data_card",
                    "interrupted",
                    "params:sequence",
                    "params:model",
                    "params:training",
                ],
                outputs=["checkpoint", "history"],
                name="train",
            ),
            Node(export, inputs=["checkpoint", "valid_images"], outputs="exported_model", name="export"),
        ]
    )
