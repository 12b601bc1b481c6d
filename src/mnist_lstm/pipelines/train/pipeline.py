"""Train: sequences to checkpoint, history and exported model."""

import warnings

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.train.nodes import export, train
from mnist_lstm.pipelines.train.preview import network


def create_pipeline() -> Pipeline:
    """The stage that trains the classifier and exports it."""
    export_node = Node(export, inputs=["checkpoint", "valid_images"], outputs="exported_model", name="export")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The 'preview_fn' feature is experimental")  # Kedro 1.7
        train_node = Node(
            train,
            inputs=[
                "train_sequences",
                "valid_sequences",
                "data_card",
                "earlier_checkpoints",
                "params:sequence",
                "params:model",
                "params:training",
                "recorded_trainings",
            ],
            # A dictionary, as Kedro ends a generator silently whose yield lacks one of a list (kedro 1.7)
            outputs={name: name for name in ("checkpoint", "history", "snapshots")},
            name="train",
            preview_fn=network,
        )
    return Pipeline([train_node, export_node])
