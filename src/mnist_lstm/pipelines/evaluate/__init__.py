"""A classifier and the test images to measures and figures."""

from mnist_lstm.pipelines.evaluate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
