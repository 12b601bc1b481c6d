"""The pipeline's stages: ingest, reshape, train, evaluate and report."""
