"""Evaluate: checkpoint and test sequences to measures and figures."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.evaluate.nodes import draw, predict_test, score


def create_pipeline() -> Pipeline:
    """The stage that measures the trained classifier on the test images."""
    return Pipeline(
        [
            Node(
                predict_test,
                inputs=["checkpoint", "test_sequences", "data_card", "params:evaluation"],
                outputs="predictions",
                name="predict_test",
            ),
            Node(
                score,
                inputs=["predictions", "data_card", "params:evaluation"],
                outputs=["metrics", "per_class", "confusion_matrix"],
                name="score",
            ),
            Node(
                draw,
                inputs=["history", "predictions", "data_card"],
                outputs=["learning_curves", "confusion_figure"],
                name="draw",
                tags="figures",
            ),
        ]
    )
