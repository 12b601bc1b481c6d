"""From files to checked images and labels in three splits."""

from mnist_lstm.pipelines.ingest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
