"""Figures: plotly and matplotlib of kedro-datasets, written whole."""

from kedro_datasets import matplotlib, plotly

from mnist_lstm.datasets.whole import Whole


class PlotlyDataset(Whole, plotly.JSONDataset):
    """A plotly figure in a JSON file, which Kedro-Viz shows with its hover and zoom."""


class MatplotlibDataset(Whole, matplotlib.MatplotlibDataset):
    """A matplotlib figure in an image file."""
