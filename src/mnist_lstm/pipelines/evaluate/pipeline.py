"""Evaluate: checkpoint and test sequences to predictions and metrics."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.evaluate.nodes import predict_test, score


def create_pipeline() -> Pipeline:
    """The stage that evaluates the trained classifier on the test images."""
    return Pipeline(
        [
            Node(
                predict_test,
                inputs=["checkpoint", "test_sequences", "data_card", "params:evaluation"],
                outputs="test_logits",
                name="predict_test",
            ),
            Node(
                score,
                inputs=["test_logits", "data_card", "params:evaluation"],
                outputs=["metrics", "per_class", "confusion_matrix"],
                name="score",
            ),
        ]
    )
