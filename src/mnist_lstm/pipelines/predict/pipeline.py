"""Predict: a folder of pictures to a table of answers and a contact sheet."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.predict.nodes import draw_pictures, predict_pictures


def create_pipeline() -> Pipeline:
    """The pipeline that uses a trained classifier; no part of `kedro run` without a name."""
    return Pipeline(
        [
            Node(
                predict_pictures,
                inputs=["models", "pictures", "params:predict"],
                outputs="predicted_digits",
                name="predict_pictures",
            ),
            Node(
                draw_pictures,
                inputs=["predicted_digits", "models", "pictures", "params:predict"],
                outputs="contact_sheet",
                name="draw_pictures",
            ),
        ]
    )
