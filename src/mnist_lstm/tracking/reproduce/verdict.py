"""Whether two runs are equal to the bit, and why not."""

from typing import Any, NamedTuple

import numpy as np

from mnist_lstm.core.evaluation import metrics
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.checkpoint import Checkpoint, weights_digest
from mnist_lstm.core.training.fingerprint import differences
from mnist_lstm.core.training.program import CONTINUES
from mnist_lstm.errors import UserError
from mnist_lstm.tracking.reader import Record
from mnist_lstm.tracking.reproduce.drift import Difference

CLOSE = 0.01  # largest difference of a probability that still counts as the same result


class Verdict(NamedTuple):
    """Whether all bits are equal, and the answer in one line."""

    equal: bool
    sentence: str


def compared(then: Record, now: Record, found: list[Difference]) -> Verdict:
    """Whether two runs are equal to the bit, nearly, or not, and why.

    Raises:
        UserError: if one of them has no weights or predictions.
    """
    if not (then.checkpoint and now.checkpoint and then.predictions and now.predictions):
        raise UserError("both runs must have trained and evaluated to be compared, the new one did not.")
    both = then.metrics.keys() & now.metrics.keys()  # version 0.1 recorded more of them
    parts = {
        "weights": weights_digest(then.checkpoint.weights) == weights_digest(now.checkpoint.weights),
        "predictions": _equal(then.predictions.logits, now.predictions.logits),
        "metrics": bool(both) and all(then.metrics[name] == now.metrics[name] for name in both),
        "curves": then.curves == now.curves,
    }
    if all(parts.values()):
        return Verdict(True, f"reproduced to the bit: weights, predictions, {len(then.metrics)} metrics and curves")
    if other := _other_data(then.provenance["data"], now.provenance["data"]):
        also = differences(_parameters(now.checkpoint), _parameters(then.checkpoint))
        return Verdict(False, f"not reproduced, because {'; '.join(filter(None, [other, also]))}.")
    largest = largest_difference(then.predictions, now.predictions)
    why = _why(then.checkpoint, now.checkpoint, found)
    different = ", ".join(name for name, equal in parts.items() if not equal)
    if largest <= CLOSE:
        bound = f"{largest:.1e} of every probability"
        return Verdict(False, f"reproduced within {bound}; {different} differ in bits: {why}")
    return Verdict(False, f"not reproduced: {different} differ, a probability by {largest:.2g}: {why}")


def _parameters(checkpoint: Checkpoint) -> dict[str, Any]:
    """Those in its fingerprint, without the digests of the data."""
    return {key: value for key, value in checkpoint.fingerprint_fields.items() if not key.startswith("data.")}


def _other_data(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What differs between two data cards: "the data changed (test): mine.npz"; empty if nothing."""
    splits = [split for split, digest in then["sha256"].items() if now["sha256"].get(split) != digest]
    if not splits:
        return ""
    files = [name for name, digest in then["files"].items() if now["files"].get(name) != digest]
    if not files:
        return f"this code reads the same files otherwise ({', '.join(splits)}); --checkout uses the run's own"
    return f"the data changed ({', '.join(splits)}): {', '.join(files)}; bring back what the run read"


def _equal(one: Any, other: Any) -> bool:
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def largest_difference(then: Predictions, now: Predictions) -> float:
    """Largest difference of a class probability over all test images; 1 if these are not the same."""
    if not _equal(then.labels, now.labels):
        return 1.0
    one, other = (np.exp(metrics.log_probabilities(each.logits)) for each in (then, now))
    return float(np.abs(one - other).max())


def _why(then: Checkpoint, now: Checkpoint, found: list[Difference]) -> str:
    if changed := differences(now.fingerprint_fields, then.fingerprint_fields):
        return changed
    if CONTINUES in then.program:
        return "another program began the recorded training, which the run continued"
    kinds = list(dict.fromkeys(difference.kind for difference in found))
    return f"the {' and '.join(kinds)} changed" if kinds else "nothing recorded explains it"
