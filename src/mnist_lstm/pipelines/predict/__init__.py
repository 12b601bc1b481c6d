"""A user's pictures to answers."""

from mnist_lstm.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
