"""Reports: JSON and CSV of kedro-datasets, written whole."""

from kedro_datasets import json, pandas

from mnist_lstm.datasets.whole import Whole


class JSONDataset(Whole, json.JSONDataset):
    """A JSON file."""

    kind = "JSON file"


class CSVDataset(Whole, pandas.CSVDataset):
    """A table in a CSV file."""

    kind = "CSV file"
