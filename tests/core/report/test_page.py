import html
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from mnist_lstm.core.data.data_card import counted
from mnist_lstm.core.evaluation.metrics import wilson_interval
from mnist_lstm.core.model.classifier import CELLS
from mnist_lstm.core.report.captions import BOTH_WAYS, CAPTIONS, caption
from mnist_lstm.core.report.facts import accuracy_by_step, classes, metrics, network, worst_classes
from mnist_lstm.core.report.origin import commands, made_with, marked, parameters
from mnist_lstm.core.report.page import model_card, page
from mnist_lstm.core.training.checkpoint import weights_digest
from tests.conftest import read_by
from tests.core.report.reader import Reader
from tests.support import finished, tiny

FIGURES = {name: name.encode() for name in CAPTIONS}


def read(**changes: Any) -> Reader:
    return Reader(page(finished.run(**changes), FIGURES))


def test_nothing_of_the_page_comes_from_elsewhere_or_runs_which_its_policy_forbids_too() -> None:
    tags = read().tags
    for tag, attributes in tags:
        assert tag not in ("script", "iframe", "object", "embed", "video", "audio", "form")
        assert not any(name.startswith("on") for name in attributes)
        if (tag, attributes) == ("a", {"href": "explain.html"}):
            continue  # the page that the run wrote next to it: opened on a click, not loaded
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
    (policy,) = [tag[1]["content"] for tag in tags if "http-equiv" in tag[1]]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_what_a_data_set_its_classes_and_the_command_are_called_is_shown_as_it_is_with_the_digests() -> None:
    texts = " ".join(read().texts)
    for found in ("Tiny <script>alert(1)</script>", "<b>bold</b>", '"><script>alert(2)</script>'):
        assert found in texts
    assert {"a" * 64, "b" * 64, "c" * 64, "d" * 64, "tiny.gz"} <= set(texts.split())


@pytest.mark.parametrize(("confidence", "said"), [(0.95, "95%"), (0.999, "99.9%")])
def test_the_page_says_how_good_on_how_many_images_and_how_sure(confidence: float, said: str) -> None:
    run = finished.run(metrics=finished.run().metrics | {"confidence": confidence})
    low, high = wilson_interval(run.metrics["test/correct"], 20, confidence)
    text = " ".join(Reader(page(run, FIGURES)).texts)
    expected = f"{run.metrics['test/accuracy']:.2%} of 20 test images right ({said} interval {low:.2%} to {high:.2%})."
    assert expected in text
    assert "accuracy on the first" not in text


def test_the_page_shows_every_printed_figure_under_its_caption_of_one_sentence_in_order() -> None:
    seen = read()
    pictures = [attributes["alt"] or "" for tag, attributes in seen.tags if tag == "img"]
    shown = [caption(name, tiny.checkpoint()) for name in CAPTIONS]
    assert [alternative.partition(":")[0] for alternative in pictures] == [each.heading for each in shown]
    assert {each.sentence for each in shown} <= set(seen.texts)
    for each in [*CAPTIONS.values(), *BOTH_WAYS.values()]:
        assert re.findall(r"\.(?:\s|$)", each.sentence) == ["."]


@pytest.mark.parametrize("cell", CELLS)
def test_the_caption_of_the_states_tells_of_the_cells_own_gates(cell: str) -> None:
    checkpoint = replace(tiny.checkpoint(cell=cell), sequence=read_by("patches"))
    sentence = caption("states_figure", checkpoint).sentence
    assert ("input gate" in sentence, "reset gate" in sentence) == (cell == "lstm", cell == "gru")
    assert (caption("states_figure", checkpoint).heading == "Hidden states") == (cell == "rnn")
    assert "from the first patch at the top" in sentence


def test_the_page_of_a_network_that_reads_both_ways_claims_no_answer_accuracy_by_step() -> None:
    run = finished.run(model={"bidirectional": True})
    texts = " ".join(Reader(page(run, FIGURES)).texts)
    assert "A bidirectional LSTM with 1 layer of 5 units in each direction." in texts
    assert "Accuracy when all is read" in texts
    assert "by rows read" not in texts
    assert "has no answer before the last step" in accuracy_by_step(run)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({}, "An LSTM with 1 layer of 5 units. It reads an image as 6 time steps of 4 pixels (view rows)"),
        ({"cell": "gru", "pooling": "mean"}, "(view rows) and names one of 3 classes from the mean of its outputs."),
        ({"cell": "rnn", "layers": 2, "hidden_size": 1}, "A plain RNN with 2 layers of 1 unit. "),
        ({"pooling": "attention"}, "from the mean of its outputs, weighted by attention."),
    ],
)
def test_the_page_says_what_the_network_is(model: dict[str, Any], words: str) -> None:
    assert words in network(finished.run(model=model))


def test_the_page_says_which_run_it_is_as_the_card_does_and_how_to_do_it_again() -> None:
    texts, which = read().texts, f"Run {'1' * 32} of 2026-01-02 03:04 UTC."
    assert {finished.PROVENANCE["command"], f"kedro reproduce {'1' * 32}", which} <= set(texts)
    assert which in model_card(finished.run())
    assert f"{'f' * 40} and changes that are not committed" in texts
    assert weights_digest(tiny.checkpoint().weights) in texts
    assert "not shown" not in texts


@pytest.mark.parametrize("trained", [True, False])
def test_only_a_run_that_trained_claims_that_its_code_made_the_weights(trained: bool) -> None:
    run = finished.run(provenance=with_run(trained=trained))
    code, weights = "git commit", "weights, SHA-256"
    found = {heading: {name for name, _ in rows} for heading, rows in made_with(run).items()}
    assert [heading for heading, names in found.items() if code in names and weights in names] == [
        "made with"
    ] * trained
    assert list(found) == (["made with"] if trained else ["trained with", "evaluated with"])
    for text in (" ".join(Reader(page(run, FIGURES)).texts), model_card(run)):
        assert ("kedro reproduce" in text) is trained
        assert all(heading in text for heading in found)


def test_a_run_without_a_record_is_not_reproduced_from_it() -> None:
    run = finished.run(provenance=with_run(id=None))
    assert not [command for _, command in commands(run) if command.startswith("kedro reproduce")]
    assert "Run of 2026-01-02 03:04 UTC, not recorded by MLflow." in page(run, FIGURES)


def with_run(**changes: Any) -> dict[str, Any]:
    return finished.PROVENANCE | {"run": finished.PROVENANCE["run"] | changes}


def test_the_spelled_out_command_has_every_parameter_that_decides_the_result() -> None:
    (*_, (_, command)) = commands(finished.run())
    assert command == (
        "kedro run --params data.name=tiny,sequence.view=rows,model.cell=lstm,training.seed=1,training.device=cpu,"
        "training.threads=1,training.learning_rate=0.001,training.clip_norm=null,training.label_smoothing=0.0,"
        "training.ema_decay=0.0,training.precision=float32,training.augmentation.rotation=0.0,"
        "training.augmentation.scale=0.0,training.augmentation.shear=0.0,training.augmentation.shift=0.0,"
        "training.augmentation.elastic=0.0,training.augmentation.elastic_sigma=4.0,training.augmentation.pixel_dropout=0.0,evaluation.confidence=0.95,data.on_unreachable=fail"
    )


def test_the_page_says_when_other_data_stood_in() -> None:
    card = finished.card()
    assert not any("asked for" in text or "no mirror" in text for text in read().texts)
    said = f"The run asked for mnist, but no mirror provided it: every number here is about the {card.title}."
    assert said in read(data=replace(card, requested="mnist")).texts


def test_data_that_the_network_was_not_trained_on_are_said_to_be_others() -> None:
    names = [f"other {name}" for name in tiny.NAMES]
    others = replace(finished.card(), name="others", title="others", class_names=names)
    said = (
        f"The network was trained on {tiny.checkpoint().data.title}: every number here is about others, whose classes "
        "have other names, on which it was not trained."
    )
    assert said in read(data=others).texts
    assert said in html.unescape(model_card(finished.run(data=others)).replace("\\", ""))
    assert not [command for _, command in commands(finished.run(data=others)) if "training.seed" in command]


def test_a_class_has_its_own_interval_and_what_it_is_most_often_taken_for() -> None:
    confusion = np.array([[6, 1, 3], [0, 0, 0], [0, 0, 4]])
    columns = {"images": [10, 0, 4], "recall": [0.6, 0.0, 1.0], "precision": [1.0, 0.0, 4 / 7], "f1": [0.75, 0, 0.7]}
    run = finished.run(confusion=confusion, per_class=columns)
    low, high = wilson_interval(6, 10, 0.95)
    first, empty, last = classes(run)
    interval, taken_for = f"{low:.2%} to {high:.2%}", f"{tiny.NAMES[2]} (3)"
    assert first == (tiny.NAMES[0], "10", "60.0%", interval, "100.0%", "0.750", taken_for)
    assert empty[2] == empty[3] == empty[6] == last[6] == ""
    assert [row[0] for row in worst_classes(run, 2)] == [tiny.NAMES[0], tiny.NAMES[2]]


def test_the_first_128_images_of_mnist_are_counted_as_the_tutorial_did() -> None:
    found = finished.run().metrics | {"test/images": 10000, "test/correct": 9627, "test/first_128_correct": 126}
    low, high = wilson_interval(126, 128, 0.95)
    mnist = replace(finished.run().data, name="mnist")
    assert metrics(finished.run(metrics=found, data=mnist))[1] == (
        "accuracy on the first 128",
        "98.44%",
        f"{low:.2%} to {high:.2%}",
        "the tutorial's own metric: 126 of 128 right",
    )


@pytest.mark.parametrize(
    ("accuracy", "needed"), [([0.1, 0.2, 0.5, 0.94, 0.95], 4), ([0.9, 0.9], 1), ([0.1, 0.2, 0.3, 0.9], 4)]
)
def test_the_page_says_how_many_steps_it_takes(accuracy: list[float], needed: int) -> None:
    said = accuracy_by_step(finished.run(by_step={"accuracy": accuracy}))
    assert f"; after {needed} row{'s' if needed > 1 else ''} their share is within one percentage point" in said
    assert "reads an image in one step" in accuracy_by_step(finished.run(by_step={"accuracy": [0.9]}))


@pytest.mark.parametrize(("number", "expected"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_a_count_has_its_noun_in_the_right_number(number: int, expected: str) -> None:
    assert counted(number, "row") == counted(number, "row", "rows") == expected


def test_parameters_stand_in_the_tables_as_in_yaml() -> None:
    run = finished.run()
    run.checkpoint.fingerprint_fields.update(
        {"model.bidirectional": True, "training.patience": None, "training.warmup": 0}
    )
    shown = parameters(run)
    assert (shown["model.bidirectional"], shown["training.patience"], shown["training.warmup"]) == ("true", "null", "0")
    given = run.checkpoint.fingerprint_fields | {"evaluation.confidence": 0.95}
    assert {key: yaml.safe_load(text) for key, text in shown.items() if key in given} == {
        key: value for key, value in given.items() if not key.startswith("data.")
    }
    for text in (page(run, FIGURES), model_card(run)):
        assert not re.search(r"\b(None|True|False)\b", text)


OTHERS = {"training.augmentation.elastic": 1.0, "training.label_smoothing": 0.1, "training.precision": "bfloat16"}
UNLIKE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "alike": ({}, {}, "where the first keeps improving and the second does not, the network overfits."),
    "dropout": ({"dropout": 0.5}, {}, "they are not comparable: the first has dropout."),
    "all": (
        {"dropout": 0.5},
        OTHERS | {"training.ema_decay": 0.9},
        "they are not comparable: the first has dropout and distorted images and smoothed labels and bfloat16 "
        "arithmetic, the second uses averaged weights.",
    ),
    "averaged": ({}, {"training.ema_decay": 0.9}, "they are not comparable: the second uses averaged weights."),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_the_caption_of_the_curves_says_whether_they_are_comparable(case: str) -> None:
    model, changes, expected = UNLIKE[case]
    checkpoint = tiny.checkpoint(**model)
    changed = replace(checkpoint, fingerprint_fields=checkpoint.fingerprint_fields | changes)
    sentence = caption("learning_curves_figure", changed).sentence
    assert sentence.endswith(expected)


def test_a_preset_is_in_the_title_and_what_differs_from_base_is_marked() -> None:
    expected = {"departures": " fast", "base": {"data.name": "other", "training.label_smoothing": 0.0}}
    run = finished.run()
    run = replace(run, provenance=run.provenance | {"run": run.provenance["run"] | expected})
    assert f" fast on {run.data.title}" in run.title
    marks = {key: base for key, _, base in marked(run)}
    assert (marks["data.name"], marks["training.label_smoothing"], marks["training.precision"]) == ("other", "", "")
    assert "base, if it differs" in page(run, FIGURES)
    run.provenance["run"]["base"] = {}
    assert "base, if it differs" not in page(run, FIGURES)
