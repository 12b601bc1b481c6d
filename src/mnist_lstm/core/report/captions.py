"""What each figure of the report shows, and a sentence under it that holds whatever the parameters of the run."""

from typing import NamedTuple

from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.training.augmentation import any_augmentation
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.parameters import AugmentationParameters

AUGMENTATION = "training.augmentation."


class Caption(NamedTuple):
    """A heading, and one sentence that says what to see."""

    heading: str
    sentence: str


# {step} is what is read at a time step, and the other words in braces are those of `_words`
CAPTIONS = {
    "learning_curves_print": Caption(
        "Learning curves",
        "Loss and accuracy by update: the thin line is the batch about to be learned from, the thick one the "
        "validation images, from which nothing is learned; {compared}.",
    ),
    "confusion_figure": Caption(
        "Confusion matrix",
        "Each row holds the test images of one class by what they were taken for: right answers lie on the diagonal, "
        "and the darker a cell off it, the more often the network mixes up that pair.",
    ),
    "mistakes_figure": Caption(
        "The most confident mistakes",
        "The wrong answers of which the network was surest, the surest first, each with the class of the image, what "
        "it was taken for, how probable that seemed, and its place among the test images.",
    ),
    "accuracy_by_step_print": Caption(
        "Accuracy by {steps} read",
        "The share of test images that would be right if reading stopped after each {step}, with its interval as a "
        "band, and the share whose answer does not change any more; the network was trained to answer once the whole "
        "image is read, and need not be any good before.",
    ),
    "beliefs_figure": Caption(
        "Belief by {step}",
        "Beside each image, from top to bottom, how probable each class seems after each {step}, with a frame around "
        "the {step} from which on the same class leads; the network was trained to answer once the whole image is "
        "read, so what stands above is what it would say if it were asked too soon.",
    ),
    "states_figure": Caption(
        "Gates and states", "Inside the cell{layer}, from the first {step} at the top to the last: {inside}."
    ),
    "calibration_figure": Caption(
        "Calibration",
        "Of the answers of about the same probability, the share that is right: a point on the dashed line is right as "
        "often as it is sure, one below it is too sure, one above too modest; the grey bars count the images, and "
        "where they are few the whiskers are long.",
    ),
}

COMPARABLE = "where the first goes on improving and the second does not, the network is learning by heart"

INSIDE = {
    "lstm": "an open input gate lets news in, an open forget gate keeps what the cell state holds, and an open output "
    "gate shows it as the hidden state, so a column of the cell state that keeps its colour is a unit that remembers",
    "gru": "a shut reset gate keeps the past out of the candidate state, and an open update gate keeps the hidden "
    "state as it was instead of taking the candidate, so a column of the hidden state that keeps its colour is a unit "
    "that remembers",
    "rnn": "each hidden state is made anew from the one before and from what is read, without a gate that could keep "
    "it",
}

# In place of the above for a network that reads both ways
BOTH_WAYS = {
    "accuracy_by_step_print": Caption(
        "Accuracy when all is read",
        "The network reads an image from both ends at once, so that it has an answer only after the last {step}: there "
        "stands the share of test images that are right, with its interval.",
    ),
    "beliefs_figure": Caption(
        "Belief in a few images",
        "Beside each image, how probable each class seems to the network, which reads from both ends at once and so "
        "has an answer only when all is read.",
    ),
    "states_figure": Caption(
        "Gates and states",
        "Inside the cell{layer}, from the first {step} at the top to the last, though half of the network's units read "
        "from the bottom up: {inside}.",
    ),
}


def caption(name: str, checkpoint: Checkpoint) -> Caption:
    """Heading and sentence of a figure by its name in the catalog, for what was trained and how."""
    chosen = BOTH_WAYS.get(name) if checkpoint.model.bidirectional else None
    words = _words(checkpoint)
    return Caption(*(part.format(**words) for part in chosen or CAPTIONS[name]))


def _words(checkpoint: Checkpoint) -> dict[str, str]:
    step, model = step_word(checkpoint.sequence.view), checkpoint.model
    return {
        "step": step.one,
        "steps": step.many,
        "inside": INSIDE[model.cell],
        "layer": " of the last layer" if model.num_layers > 1 else "",
        "compared": _compared(checkpoint),
    }


def _compared(checkpoint: Checkpoint) -> str:
    """Whether the two lines of the learning curves are measured alike, and what follows."""
    trained = checkpoint.fingerprint_fields
    moves = {key.removeprefix(AUGMENTATION): trained[key] for key in trained if key.startswith(AUGMENTATION)}
    distinct = {
        "dropout": checkpoint.model.dropout > 0,
        "distorted images": any_augmentation(AugmentationParameters(**moves)),
        "smoothed labels": trained["training.label_smoothing"] > 0,
        "bfloat16 arithmetic": trained["training.precision"] == "bfloat16",
    }
    only_first = " and ".join(name for name in distinct if distinct[name])
    unlike = [f"the first with {only_first}"] if only_first else []
    if trained["training.ema_decay"] > 0:
        unlike.append("the second by averaged weights")
    return f"they are not measured alike, {', '.join(unlike)}" if unlike else COMPARABLE
