"""A reproducible Kedro pipeline that trains an LSTM on MNIST read as sequences."""

__version__ = "0.2.0"
