import re

from mnist_lstm.core.report import model_card
from mnist_lstm.core.report.card import table
from mnist_lstm.core.report.facts import measures, on_the_way
from tests import finished


def test_the_card_has_the_parts_of_a_model_card() -> None:
    headings = re.findall(r"^#+ (.*)$", model_card(finished.run()), re.MULTILINE)
    assert headings == [
        "Model card: lstm5 rows s1 on Tiny <script>alert(1)</script>",
        "Intended use",
        "Not intended for",
        "Data",
        "Training",
        "Measured performance",
        "Measured limits",
        "How to do it again",
    ]


def test_the_card_has_every_measure_with_its_interval() -> None:
    card = model_card(finished.run())
    for name, value, interval, _ in measures(finished.run()):
        assert f"| {name} | {value} | {interval} |" in card


def test_the_card_names_measured_limits() -> None:
    run = finished.run()
    card = model_card(run)
    assert f"off by {run.metrics['test/ece']:.2%} on average" in card
    assert on_the_way(run) in card
    assert "recognised worst" in card


def test_the_card_says_when_other_data_stood_in() -> None:
    assert "stood in for" not in model_card(finished.run())
    assert "It stood in for mnist" in model_card(finished.run(data=finished.card() | {"requested": "mnist"}))


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    lines = table(["class", "images"], [("a|b", 3)]).splitlines()
    assert lines == ["| class | images |", "|---|---|", r"| a\|b | 3 |"]
