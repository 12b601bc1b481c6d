import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from mnist_lstm.core.evaluation import metrics

classes = arrays(np.uint8, st.integers(1, 40), elements=st.integers(0, 4))
pairs = classes.flatmap(
    lambda labels: st.tuples(st.just(labels), arrays(np.int64, len(labels), elements=st.integers(0, 4)))
)
logits = arrays(np.float32, (6, 5), elements=st.floats(-1000, 1000, width=32))


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (127, 128, 0.9571, 0.9986),  # the tutorial's result, not in the table
    ],
)
def test_wilsons_interval_is_that_of_newcombes_table(correct: int, total: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E."""
    assert metrics.wilson_interval(correct, total, 0.95) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilsons_interval_is_scipys_and_holds_the_share(total: int, share: float, confidence: float) -> None:
    correct = round(share * total)
    low, high = metrics.wilson_interval(correct, total, confidence)
    expected = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    rounding = 1e-15
    assert 0 <= low <= correct / total + rounding
    assert correct / total - rounding <= high <= 1


@pytest.mark.parametrize(("correct", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"found {correct} of {total}"):
        metrics.wilson_interval(correct, total, 0.95)


@given(logits, arrays(np.uint8, 6, elements=st.integers(0, 4)))
def test_the_cross_entropy_is_torchs_and_probabilities_sum_to_one(
    logits: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    expected = torch.nn.functional.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(labels).long())
    assert metrics.cross_entropy(logits, labels) == pytest.approx(float(expected), rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(np.exp(metrics.log_probabilities(logits)).sum(axis=1), 1)


def test_the_accuracy_is_the_fraction_whose_largest_logit_is_the_labels() -> None:
    assert metrics.accuracy(np.array([[1, 2], [2, 1], [0, 3], [-1, -2]]), np.array([1, 0, 0, 1])) == 0.5


@given(pairs)
def test_the_confusion_matrix_and_the_scores_of_each_class_are_scikit_learns(
    pair: tuple[NDArray[np.uint8], NDArray[np.int64]],
) -> None:
    labels, predicted = pair
    confusion = metrics.confusion_matrix(predicted, labels, 5)
    np.testing.assert_array_equal(confusion, confusion_matrix(labels, predicted, labels=range(5)))
    expected = precision_recall_fscore_support(labels, predicted, labels=range(5), zero_division=0)
    for name, column in zip(("precision", "recall", "f1", "images"), expected, strict=True):
        np.testing.assert_allclose(metrics.per_class(confusion)[name], column, err_msg=name)


def test_a_confusion_matrix_may_have_more_classes_than_a_byte_counts() -> None:
    labels, predicted = np.array([255, 20], np.uint8), np.array([3, 19])
    confusion = metrics.confusion_matrix(predicted, labels, 256)
    assert (confusion[255, 3], confusion[20, 19], confusion.sum()) == (1, 1, 2)


def test_a_summary_has_counts_interval_loss_and_mean_f1_of_all_images_and_the_first_128() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 200, np.uint8)
    logits = random.normal(size=(200, 5)) + 1.2 * np.eye(5)[labels]  # about half are right
    summary = metrics.summarize(logits, labels, 0.9)
    right = logits.argmax(axis=1) == labels
    assert summary["test/images"] == 200
    assert (summary["test/correct"], summary["test/accuracy"]) == (right.sum(), right.mean())
    assert summary["test/first_128_correct"] == right[:128].sum()
    assert summary["test/first_128_accuracy"] == right[:128].mean()
    assert right[:128].mean() != right.mean()
    interval = binomtest(int(summary["test/correct"]), 200).proportion_ci(0.9, method="wilson")
    assert (summary["test/accuracy_low"], summary["test/accuracy_high"]) == pytest.approx((interval.low, interval.high))
    assert summary["test/loss"] == metrics.cross_entropy(logits, labels)
    assert summary["test/macro_f1"] == pytest.approx(f1_score(labels, logits.argmax(axis=1), average="macro"))


# Four images in two bins of [0.5, 1]: 0.6 and 0.7, of which one is right; 0.8 and 0.9, both right. By hand:
# |1/2 - 0.65| * 2/4 + |1 - 0.85| * 2/4 = 0.075 + 0.075
SURE = np.array([0.6, 0.7, 0.8, 0.9])
LOGITS, LABELS = np.log(np.stack([SURE, 1 - SURE], axis=1)), np.array([0, 1, 0, 0])


def test_the_bins_and_the_calibration_error_of_a_small_example_are_those_by_hand() -> None:
    bins = metrics.reliability(LOGITS, LABELS, 4)
    assert bins["images"].tolist() == [0, 0, 2, 2]
    assert bins["correct"].tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(bins["confidence"], [np.nan, np.nan, 0.65, 0.85])
    np.testing.assert_allclose((bins["low"], bins["high"]), [[0, 0.25, 0.5, 0.75], [0.25, 0.5, 0.75, 1]])
    assert metrics.expected_calibration_error(bins) == pytest.approx(0.15)
    edge = metrics.reliability(np.zeros((1, 4)), np.zeros(1, int), bins=4)  # each class has probability 1/4, to the bit
    assert edge["images"].tolist() == [1, 0, 0, 0], "a confidence on an edge is in the bin below"


@pytest.mark.parametrize(("labels", "error"), [([0, 1], 0), ([1, 0], 1)])
def test_a_sure_network_is_calibrated_if_it_is_right_and_off_by_one_if_wrong(labels: list[int], error: int) -> None:
    logits = np.array([[1000.0, 0.0], [0.0, 1000.0]])
    assert metrics.expected_calibration_error(metrics.reliability(logits, np.array(labels), metrics.BINS)) == error


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_every_image_is_in_one_bin_and_the_error_is_a_fraction(bins: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 50)
    found = metrics.reliability(random.normal(size=(50, 4)) * 5, labels, bins)
    filled = found["images"] > 0
    assert found["images"].sum() == 50
    assert (found["correct"] <= found["images"]).all()
    assert (found["confidence"][filled] >= found["low"][filled] - 1e-12).all()
    assert (found["confidence"][filled] <= found["high"][filled] + 1e-12).all()
    assert 0 <= metrics.expected_calibration_error(found) <= 1


def test_a_summary_has_the_calibration_error_in_fifteen_bins() -> None:
    assert metrics.BINS == 15
    expected = metrics.expected_calibration_error(metrics.reliability(LOGITS, LABELS, 15))
    assert metrics.summarize(LOGITS, LABELS, 0.95)["test/ece"] == expected


def test_a_class_without_images_lowers_neither_macro_f1_nor_balanced_accuracy() -> None:
    labels = np.array([0, 0, 0, 1])
    logits = np.eye(3)[[0, 0, 1, 1]]  # of three classes; the third has no image
    found = metrics.summarize(logits, labels, 0.95)
    assert found["test/balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["test/macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
