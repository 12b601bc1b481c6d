"""From sequences to a trained classifier."""

from mnist_lstm.pipelines.train.pipeline import create_pipeline

__all__ = ["create_pipeline"]
