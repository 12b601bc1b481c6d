"""The pipeline's stages: ingest, reshape, train and evaluate."""
