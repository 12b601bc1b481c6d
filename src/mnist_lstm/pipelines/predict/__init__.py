"""From a user's pictures to predicted digits."""

from mnist_lstm.pipelines.predict.pipeline import create_pipeline

__all__ = ["create_pipeline"]
