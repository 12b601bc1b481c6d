import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure

from mnist_lstm.datasets.figures import FigureDataset, PlotlyDataset
from mnist_lstm.datasets.text import CSVDataset, JSONDataset
from tests.datasets.bits import refusal

METRICS = {"test/accuracy": 0.96, "data": "10000 Ziffern"}
TABLE = pd.DataFrame({"iteration": [10, 20], "valid_loss": [float("nan"), 0.1]})


def curve() -> PlotlyFigure:
    return PlotlyFigure().add_scatter(x=[1, 2], y=[3, 4])


def drawing() -> Figure:
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    return figure


SAVED: list[tuple[Any, str, Any]] = [
    (JSONDataset, "metrics.json", METRICS),
    (CSVDataset, "history.csv", TABLE),
    (PlotlyDataset, "curves.json", curve()),
    (partial(FigureDataset, dpi=50), "matrix.png", drawing()),
]


@pytest.mark.parametrize(("dataset", "name", "data"), SAVED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_report_comes_back_as_it_was_leaves_no_other_file_and_shows_itself_in_kedro_viz(
    tmp_path: Path, dataset: Any, name: str, data: Any
) -> None:
    dataset(filepath=str(tmp_path / name)).save(data)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    again = dataset(filepath=str(tmp_path / name))
    assert again.preview()
    if isinstance(data, pd.DataFrame):  # with its gaps
        pd.testing.assert_frame_equal(again.load(), data)
    elif isinstance(data, Figure):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    else:
        assert again.load() == data


@pytest.mark.parametrize(("dataset", "name"), [(JSONDataset, "card.json"), (CSVDataset, "history.csv")])
@pytest.mark.parametrize("content", ["", '{"a": '], ids=["empty", "half"])
def test_a_damaged_report_is_named(tmp_path: Path, dataset: Any, name: str, content: str) -> None:
    (tmp_path / name).write_text(content if name == "card.json" else content and 'iteration,loss\n10,"0.')
    assert str(tmp_path / name) in refusal(dataset(filepath=str(tmp_path / name)).load)


def complete_files(folder: Path) -> list[tuple[Any, Path]]:
    """A table and a figure, with their datasets."""
    CSVDataset(filepath=str(folder / "history.csv")).save(TABLE)
    FigureDataset(filepath=str(folder / "matrix.png"), dpi=20).save(drawing())
    return [(CSVDataset, folder / "history.csv"), (partial(FigureDataset, dpi=20), folder / "matrix.png")]


def test_a_figure_cut_short_anywhere_or_a_table_cut_within_a_line_is_refused_by_name(tmp_path: Path) -> None:
    for dataset, path in complete_files(tmp_path):
        content = path.read_bytes()
        for length in range(len(content)):
            if dataset is CSVDataset and content[:length].endswith(b"\n"):
                continue  # a table of fewer rows
            path.write_bytes(content[:length])
            message = refusal(dataset(filepath=str(path)).load)
            assert message.startswith(f"{path} must be a complete ")
            assert message.endswith("delete it and run `kedro run` again.")


def test_a_figure_with_a_wrong_bit_anywhere_is_refused(tmp_path: Path) -> None:
    _, (dataset, path) = complete_files(tmp_path)
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(DatasetError):
            dataset(filepath=str(path)).load()


def test_a_table_is_read_by_any_reader_and_with_and_without_an_empty_line_at_its_end(tmp_path: Path) -> None:
    (_, path), _ = complete_files(tmp_path)
    pd.testing.assert_frame_equal(pd.read_csv(path), TABLE)
    with path.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(TABLE)
    for ending in ("", "\n"):  # as an editor and as version 0.1 leave it
        path.write_text(path.read_text() + ending)
        pd.testing.assert_frame_equal(CSVDataset(filepath=str(path)).load(), TABLE)


def test_a_json_report_is_indented_and_in_utf_8(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "card.json"))
    dataset.save({"title": "Größe"})
    assert (tmp_path / "card.json").read_text() == json.dumps({"title": "Größe"}, indent=2, ensure_ascii=False)


def test_a_file_that_no_stage_has_made_yet_names_the_stage(tmp_path: Path) -> None:
    found = refusal(JSONDataset(filepath=str(tmp_path / "05_model_input" / "sequences.json")).load)
    assert "found no such file; run the stage that makes it first: `kedro run --pipelines reshape`" in found
