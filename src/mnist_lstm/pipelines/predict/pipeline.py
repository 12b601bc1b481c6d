"""Predict: a folder of pictures to a table of predicted digits and a contact sheet."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.predict.nodes import draw_pictures, make_submission, predict_pictures


def create_pipeline() -> Pipeline:
    """The pipeline that applies a trained classifier; `kedro run` alone does not include it."""
    return Pipeline(
        [
            Node(
                predict_pictures,
                inputs=["models", "pictures", "params:predict"],
                outputs="predicted_digits",
                name="predict_pictures",
            ),
            Node(make_submission, inputs="predicted_digits", outputs="submission", name="make_submission"),
            Node(
                draw_pictures,
                inputs=["predicted_digits", "models", "pictures", "params:predict"],
                outputs="contact_sheet",
                name="draw_pictures",
            ),
        ]
    )
