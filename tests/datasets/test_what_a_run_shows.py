import base64
import io
from pathlib import Path
from unittest.mock import Mock

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_lstm.datasets.figures import FigureDataset, PlotlyDataset
from mnist_lstm.datasets.provenance import ProvenanceDataset
from mnist_lstm.datasets.text import HTMLDataset, TextDataset
from tests.test_provenance import committed, git

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_figure_is_loaded_and_shown_as_its_file_which_stays_where_another_cannot_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "reporting" / "figure.png"
    dataset = FigureDataset(filepath=str(path), dpi=50)
    assert not dataset.exists()
    dataset.save(Figure(figsize=(2, 1)))
    assert dataset.exists()
    drawn = dataset.load()
    assert drawn == FigureDataset(filepath=str(path), dpi=50).load() == path.read_bytes()
    assert drawn.startswith(PNG)
    assert [int.from_bytes(drawn[at : at + 4]) for at in (16, 20)] == [100, 50]  # pixels: inches times dpi
    assert base64.b64decode(dataset.preview()) == drawn
    with pytest.raises(Exception, match="no attribute"):
        dataset.save("no figure")
    assert path.read_bytes() == drawn
    assert len(list(path.parent.iterdir())) == 1


def test_a_text_is_written_in_utf_8_and_kedro_viz_shows_a_page(tmp_path: Path) -> None:
    TextDataset(filepath=str(tmp_path / "card.md")).save("0 → 9 …\n")
    assert (tmp_path / "card.md").read_bytes() == "0 → 9 …\n".encode()
    assert TextDataset(filepath=str(tmp_path / "card.md")).load() == "0 → 9 …\n"
    dataset = HTMLDataset(filepath=str(tmp_path / "report.html"))
    dataset.save("<p>report</p>")
    assert dataset.preview() == "<p>report</p>"


def test_provenance_is_that_of_the_project_and_of_this_machine_and_never_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # git must track something of the project
    commit = git(committed(tmp_path), "rev-parse", "HEAD")
    dataset = ProvenanceDataset(path=str(tmp_path))
    found = dataset.load()
    assert set(found) == {"run", "command", "git", "environment", "hardware"}
    assert found["run"].items() >= {"id": None, "trained": False}.items()
    assert (found["git"]["commit"], found["environment"]["lock_sha256"]) == (commit, None)
    with pytest.raises(Exception, match="never written"):
        dataset.save({})  # type: ignore[arg-type]


def test_a_figure_is_drawn_once_where_its_layout_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = [Figure(layout="constrained") for _ in range(2)]
    for figure in figures:
        figure.add_subplot().set_ylabel("a wide label\nof two lines")
    expected = io.BytesIO()
    figures[0].savefig(expected, format="png", dpi=50)
    draw = Mock(wraps=Axes.draw)
    monkeypatch.setattr(Axes, "draw", lambda *arguments: draw(*arguments))
    assert FigureDataset(filepath="figure.png", dpi=50).encode(figures[1]) == expected.getvalue()
    assert draw.call_count == 1


def test_curves_with_infinite_values_are_written_with_gaps() -> None:
    written = PlotlyDataset(filepath="curves.json").encode({"data": [{"y": [float("inf"), float("nan"), 1.5]}]})
    assert written == b'{"data": [{"y": [null, null, 1.5]}]}'
