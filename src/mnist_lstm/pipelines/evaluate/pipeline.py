"""Evaluate: checkpoint and test sequences to metrics, figures, report and model card."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.evaluate.nodes import (
    draw_beliefs,
    draw_results,
    explain,
    follow_beliefs,
    look_inside,
    predict_test,
    score,
    write_report,
)

PRINTED = (  # matplotlib figures, in the report's order
    "learning_curves_print",
    "classes_figure",
    "confusion_figure",
    "mistakes_figure",
    "accuracy_by_step_print",
    "beliefs_figure",
    "states_figure",
    "calibration_figure",
)
TABLES = ("metrics", "per_class", "confusion_matrix", "accuracy_by_step")
REPORTED = ("checkpoint", "data_card", *TABLES, "provenance", *PRINTED)


def create_pipeline() -> Pipeline:
    """The stage that evaluates the trained classifier on the test images and writes figures and report."""
    return Pipeline([*_metrics(), *_figures()])


def _metrics() -> list[Node]:
    return [
        Node(
            predict_test,
            ["checkpoint", "test_sequences", "data_card", "params:evaluation"],
            "test_logits",
            name="predict_test",
        ),
        Node(score, ["test_logits", "data_card", "params:evaluation"], list(TABLES[:3]), name="score"),
    ]


def _figures() -> list[Node]:
    """The nodes that `without_figures` omits, selected by their tag."""
    return [
        Node(
            follow_beliefs,
            ["checkpoint", "test_sequences", "data_card", "params:evaluation"],
            ["accuracy_by_step", "belief_examples"],
            name="follow_beliefs",
            tags="figures",
        ),
        Node(look_inside, ["checkpoint", "belief_examples"], "inner_states", name="look_inside", tags="figures"),
        Node(
            draw_results,
            ["checkpoint", "history", "test_logits", "test_sequences", "data_card", "params:evaluation"],
            [
                "learning_curves",
                "learning_curves_print",
                "confusion_figure",
                "mistakes_figure",
                "calibration_figure",
                "classes_figure",
            ],
            name="draw_results",
            tags="figures",
        ),
        Node(
            draw_beliefs,
            ["checkpoint", "accuracy_by_step", "belief_examples", "inner_states", "data_card", "params:evaluation"],
            ["accuracy_by_step_figure", "accuracy_by_step_print", "beliefs_figure", "states_figure"],
            name="draw_beliefs",
            tags="figures",
        ),
        Node(
            explain,
            ["checkpoint", "snapshots", "test_sequences", "test_logits", "accuracy_by_step"],
            "explanation",
            name="explain",
            tags="figures",
        ),
        Node(
            write_report,
            {name: name for name in REPORTED},
            ["report", "model_card"],
            name="write_report",
            tags="figures",
        ),
    ]
