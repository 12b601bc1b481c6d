import warnings

from mnist_lstm.core.inference.decode import PictureError
from mnist_lstm.core.inference.predict import predict_tables, preprocess_each
from mnist_lstm.core.plots.contact_sheet import contact_sheet
from mnist_lstm.core.plots.style import VERMILLION
from tests.support import tiny

PICTURES = [
    *((f"{position}.png", image) for position, image in enumerate(tiny.images(7))),
    ("broken.png", PictureError("damaged: cut short")),
    ("a very long name of a $picture$ 七.png", tiny.images(1)[0]),
]


def test_every_picture_stands_under_the_end_of_its_name_in_plain_letters_over_its_answer() -> None:
    checkpoint = tiny.checkpoint()
    shown = list(preprocess_each(PICTURES, checkpoint.data))
    (table,) = predict_tables(PICTURES, checkpoint)
    figure = contact_sheet(shown, table.astype(str), "tiny")
    with warnings.catch_warnings(action="error"):
        figure.draw_without_rendering()
    drawn = [axes for axes in figure.axes if axes.images]
    labels = [(axes.get_title(), axes.get_xlabel(), str(axes.xaxis.label.get_color())) for axes in drawn]
    assert [title for title, _, _ in labels[:7]] == [f"{position}.png" for position in range(7)]
    assert all(answer.startswith(tuple(tiny.NAMES)) and answer.endswith("%") for _, answer, _ in labels[:7])
    assert labels[7] == ("broken.png", "skipped", VERMILLION)
    assert labels[8][0] == "…ure$ \\u4e03.png"
