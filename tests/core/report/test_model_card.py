import re
from dataclasses import replace

import pytest

from mnist_lstm.core.report.facts import accuracy_by_step, metrics
from mnist_lstm.core.report.page import model_card
from tests.support import finished


def test_the_card_has_the_parts_of_a_model_card() -> None:
    headings = re.findall(r"^#+ (.*)$", model_card(finished.run()), re.MULTILINE)
    assert headings == [
        "Model card: lstm5 rows s1 on Tiny &lt;script&gt;alert(1)&lt;/script&gt;",
        "Intended use",
        "Not intended for",
        "Data",
        "Training",
        "Measured performance",
        "Measured limits",
        "How to do it again",
    ]


def test_the_card_has_every_metric_with_its_interval_and_names_measured_limits_and_no_origin_of_the_data() -> None:
    run = finished.run()
    card = model_card(run)
    for name, value, interval, _ in metrics(run):
        assert f"| {name} | {value} | {interval} |" in card
    assert f"off by {100 * run.metrics['test/ece']:.2f} percentage points on average" in card
    assert accuracy_by_step(run) in card
    assert "recognised worst" in card
    assert "public" not in card


def test_what_a_data_set_and_its_classes_are_called_stays_a_text() -> None:
    card = model_card(finished.run(data=replace(finished.card(), title="*A* _B_ `C` [D](E) <i>F</i>", requested="<u>")))
    assert r"\*A\* \_B\_ \`C\` \[D\](E) &lt;i&gt;F&lt;/i&gt;" in card
    assert "asked for &lt;u&gt;, but" in card
    assert "<" not in card.partition("## How to do it again")[0]
    assert r"| a\|b |" in card
    assert "| &lt;b&gt;bold&lt;/b&gt; |" in card


def test_the_card_says_when_other_data_stood_in() -> None:
    assert "asked for" not in model_card(finished.run())
    other = model_card(finished.run(data=replace(finished.card(), requested="mnist")))
    assert "The run asked for mnist, but no mirror provided it" in other


@pytest.mark.parametrize(
    ("images", "said"),
    [([0, 0, 20], "The class that is recognised worst"), ([20, 0, 20], "The 2 classes that are recognised worst")],
)
def test_the_card_names_no_class_as_badly_recognised_that_has_no_image(images: list[int], said: str) -> None:
    per_class = finished.run().per_class | {"images": images}
    assert said in model_card(finished.run(per_class=per_class))
