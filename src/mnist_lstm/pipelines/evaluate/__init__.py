"""From a classifier and test images to metrics."""

from mnist_lstm.pipelines.evaluate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
