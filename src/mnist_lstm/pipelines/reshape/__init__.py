"""From images to sequences."""

from mnist_lstm.pipelines.reshape.pipeline import create_pipeline

__all__ = ["create_pipeline"]
