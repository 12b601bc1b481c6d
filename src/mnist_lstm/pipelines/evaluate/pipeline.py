"""Evaluate: checkpoint and test sequences to measures, figures, report and model card."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.evaluate.nodes import (
    draw_beliefs,
    draw_results,
    follow_beliefs,
    look_inside,
    predict_test,
    score,
    write_report,
)

# What the report shows, in its order: matplotlib's figures
PRINTED = (
    "learning_curves_print",
    "confusion_figure",
    "mistakes_figure",
    "accuracy_by_step_print",
    "beliefs_figure",
    "states_figure",
    "calibration_figure",
)
REPORTED = (
    "checkpoint",
    "data_card",
    "metrics",
    "per_class",
    "confusion_matrix",
    "accuracy_by_step",
    "provenance",
    *PRINTED,
)


def create_pipeline() -> Pipeline:
    """The stage that measures the trained classifier on the test images, and shows and reports what it does."""
    return Pipeline([*_measures(), *_figures()])


def _measures() -> list[Node]:
    return [
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


def _figures() -> list[Node]:
    """All that a run can go without: the pipeline `without_figures` leaves this tag out."""
    return [
        Node(
            follow_beliefs,
            inputs=["checkpoint", "test_sequences", "data_card", "params:evaluation"],
            outputs=["accuracy_by_step", "belief_examples"],
            name="follow_beliefs",
            tags="figures",
        ),
        Node(
            look_inside,
            inputs=["checkpoint", "belief_examples"],
            outputs="inner_states",
            name="look_inside",
            tags="figures",
        ),
        Node(
            draw_results,
            inputs=["checkpoint", "history", "test_logits", "test_sequences", "data_card", "params:evaluation"],
            outputs=[
                "learning_curves",
                "learning_curves_print",
                "confusion_figure",
                "mistakes_figure",
                "calibration_figure",
            ],
            name="draw_results",
            tags="figures",
        ),
        Node(
            draw_beliefs,
            inputs=[
                "checkpoint",
                "accuracy_by_step",
                "belief_examples",
                "inner_states",
                "data_card",
                "params:evaluation",
            ],
            outputs=["accuracy_by_step_figure", "accuracy_by_step_print", "beliefs_figure", "states_figure"],
            name="draw_beliefs",
            tags="figures",
        ),
        Node(
            write_report,
            inputs={name: name for name in REPORTED},
            outputs=["report", "model_card"],
            name="write_report",
            tags="figures",
        ),
    ]
