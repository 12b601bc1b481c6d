import base64
import io
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_lstm.datasets.figures import FigureDataset, PlotlyDataset
from mnist_lstm.datasets.provenance import ProvenanceDataset
from mnist_lstm.datasets.text import HTMLDataset, TextDataset

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "reporting" / "figure.png")


def test_a_figure_is_loaded_as_the_bytes_of_its_file(place: str) -> None:
    dataset = FigureDataset(filepath=place, dpi=50)
    assert not dataset.exists()
    dataset.save(Figure(figsize=(2, 1)))
    assert dataset.exists()
    assert dataset.load() == FigureDataset(filepath=place, dpi=50).load() == Path(place).read_bytes()
    assert dataset.load().startswith(PNG)


def test_a_figure_has_as_many_pixels_as_its_inches_and_dpi_say(place: str) -> None:
    dataset = FigureDataset(filepath=place, dpi=50)
    dataset.save(Figure(figsize=(2, 1)))
    assert [int.from_bytes(dataset.load()[at : at + 4]) for at in (16, 20)] == [100, 50]


def test_kedro_viz_shows_a_figure_as_it_is(place: str) -> None:
    dataset = FigureDataset(filepath=place, dpi=50)
    dataset.save(Figure(figsize=(2, 1)))
    assert base64.b64decode(dataset.preview()) == dataset.load()


def test_a_figure_that_cannot_be_drawn_leaves_the_old_file(place: str) -> None:
    dataset = FigureDataset(filepath=place, dpi=50)
    dataset.save(Figure(figsize=(2, 1)))
    before = Path(place).read_bytes()
    with pytest.raises(Exception, match="no attribute"):
        dataset.save("no figure")
    assert Path(place).read_bytes() == before
    assert len(list(Path(place).parent.iterdir())) == 1


def test_a_text_is_written_in_utf_8(tmp_path: Path) -> None:
    TextDataset(filepath=str(tmp_path / "card.md")).save("0 → 9 …\n")
    assert (tmp_path / "card.md").read_bytes() == "0 → 9 …\n".encode()
    assert TextDataset(filepath=str(tmp_path / "card.md")).load() == "0 → 9 …\n"


def test_kedro_viz_shows_a_page(tmp_path: Path) -> None:
    dataset = HTMLDataset(filepath=str(tmp_path / "report.html"))
    dataset.save("<p>report</p>")
    assert dataset.preview() == "<p>report</p>"


def test_provenance_is_that_of_the_project_and_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # git must track something of the project
    for words in (
        ["init", "-q"],
        ["add", "file"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-ma"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    commit = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True)
    found = ProvenanceDataset(path=str(tmp_path)).load()
    assert set(found) == {"run", "command", "git", "environment", "hardware"}
    assert found["run"].items() >= {"id": None, "trained": False}.items()
    assert found["git"]["commit"] == commit.stdout.strip()
    assert found["environment"]["lock_sha256"] is None


def test_provenance_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="never written"):
        ProvenanceDataset(path=str(tmp_path)).save({})  # type: ignore[arg-type]


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
