from plotly.graph_objects import Figure

from mnist_lstm.core.plots.learning_curves import learning_curves_figures
from tests.core.plots.drawings import HISTORY


def test_learning_curves_say_what_they_show_draw_it_where_it_was_measured_and_name_each_colour_once() -> None:
    figure = learning_curves_figures(HISTORY, 5000, "Learning curves on bars")[0]
    curves = Figure(figure).to_dict()  # plotly refuses unknown keys
    layout = curves["layout"]
    assert layout["title"]["text"] == "Learning curves on bars"
    axes = (layout[axis]["title"]["text"] for axis in ("yaxis", "yaxis2"))
    assert list(axes) == ["cross-entropy (nats)", "accuracy (fraction right)"]
    assert layout["xaxis"]["title"]["text"] == layout["xaxis2"]["title"]["text"] == "update"
    points = [(line["name"], line["xaxis"], list(line["x"]), list(line["y"])) for line in curves["data"]]
    assert points == [
        ("training batch", "x", [10, 20], [2.0, 1.0]),
        ("validation (5,000)", "x", [20], [1.1]),
        ("training batch", "x2", [10, 20], [0.1, 0.9]),
        ("validation (5,000)", "x2", [20], [0.8]),
    ]
    shown = [line["name"] for line in curves["data"] if line["showlegend"]]
    colours = {(line["name"], line["line"]["color"]) for line in curves["data"]}
    assert sorted(shown) == sorted(name for name, _ in colours)
    assert len({colour for _, colour in colours}) == 2
