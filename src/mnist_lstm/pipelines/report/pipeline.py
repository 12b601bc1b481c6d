"""Report: what training and evaluation found to figures, report, model card and live page."""

from kedro.pipeline import Node, Pipeline

from mnist_lstm.pipelines.report.nodes import (
    classify_after_each_step,
    compute_gates,
    draw_readings,
    draw_results,
    write_explain_page,
    write_report,
)

FIGURES = (  # PNG files, in the report's order
    "learning_curves_figure",
    "classes_figure",
    "confusion_figure",
    "mistakes_figure",
    "accuracy_by_step_figure",
    "beliefs_figure",
    "states_figure",
    "calibration_figure",
)
TABLES = ("metrics", "per_class", "confusion_matrix", "accuracy_by_step")
REPORTED = ("checkpoint", "data_card", *TABLES, "provenance", *FIGURES)


def create_pipeline() -> Pipeline:
    """The stage that draws the figures and writes the pages, which `without_figures` omits."""
    return Pipeline([*_figures(), *_pages()], tags="figures")


def _figures() -> list[Node]:
    return [
        Node(
            classify_after_each_step,
            inputs=["checkpoint", "test_sequences", "data_card", "params:evaluation"],
            outputs=["accuracy_by_step", "example_readings"],
            name="classify_after_each_step",
        ),
        Node(
            compute_gates,
            inputs=["checkpoint", "example_readings"],
            outputs="gates_and_states",
            name="compute_gates",
        ),
        Node(
            draw_results,
            inputs=["checkpoint", "history", "test_logits", "test_sequences", "data_card", "params:evaluation"],
            outputs=[
                "learning_curves_interactive",
                "learning_curves_figure",
                "confusion_figure",
                "mistakes_figure",
                "calibration_figure",
                "classes_figure",
            ],
            name="draw_results",
        ),
        Node(
            draw_readings,
            inputs=[
                "checkpoint",
                "accuracy_by_step",
                "example_readings",
                "gates_and_states",
                "data_card",
                "params:evaluation",
            ],
            outputs=[
                "accuracy_by_step_interactive",
                "accuracy_by_step_figure",
                "beliefs_figure",
                "states_figure",
            ],
            name="draw_readings",
        ),
    ]


def _pages() -> list[Node]:
    return [
        Node(
            write_explain_page,
            inputs=["checkpoint", "snapshots", "data_card", "test_sequences", "test_logits", "accuracy_by_step"],
            outputs="explanation",
            name="write_explain_page",
        ),
        Node(
            write_report,
            inputs={name: name for name in REPORTED},
            outputs=["report", "model_card"],
            name="write_report",
        ),
    ]
