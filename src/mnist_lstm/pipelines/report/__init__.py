"""From a classifier and its metrics to figures and pages."""

from mnist_lstm.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
