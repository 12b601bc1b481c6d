"""A finished and evaluated run of the tiny network, whose names try to be HTML and Markdown."""

from dataclasses import replace
from typing import Any

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.evaluation import by_step, metrics
from mnist_lstm.core.report.facts import Run
from tests.support import tiny


def card() -> DataCard:
    return DataCard(
        name="tiny",
        title="Tiny <script>alert(1)</script>",
        requested="tiny",
        height=tiny.HEIGHT,
        width=tiny.WIDTH,
        class_names=tiny.NAMES,
        images={"train": 60, "valid": 20, "test": 20},
        sha256={"train": "a" * 64, "valid": "b" * 64, "test": "c" * 64},
        files={"tiny.gz": "d" * 64},
    )


def run(model: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A finished and evaluated run, with other parameters of the model where `model` says so."""
    found = tiny.predictions()
    confusion = metrics.confusion_matrix(found.logits.argmax(1), found.labels, tiny.CLASSES)
    evaluated = by_step.evaluate_by_step(tiny.classifier(), tiny.images(20), found.labels, 20, 0.95)
    finished = Run(
        checkpoint=tiny.checkpoint(**(model or {})),
        data=card(),
        metrics={"data": "20 test images of Tiny", "confidence": 0.95}
        | metrics.summarize(found.logits, found.labels, 0.95),
        per_class={name: list(column) for name, column in metrics.per_class(confusion).items()},
        confusion=confusion,
        by_step={name: list(column) for name, column in evaluated.by_step.items()},
        provenance=PROVENANCE,
    )
    return replace(finished, **changes)


PROVENANCE: dict[str, Any] = {
    "run": {"id": "1" * 32, "date": "2026-01-02 03:04 UTC", "trained": True},
    "command": "kedro run --params 'data.mirror=\"><script>alert(2)</script>'",
    "git": {"source_sha256": "e" * 64, "commit": "f" * 40, "dirty": True, "diff": "not shown"},
    "environment": {"python": "3.11.7", "packages": {"torch": "2.13.0"}, "lock_sha256": None},
    "hardware": {"machine": "x86_64", "system": "Linux 6", "processor": "A processor", "capability": "AVX2"}
    | {"cores": 2, "memory_bytes": 2**33, "accelerator": None},
}
