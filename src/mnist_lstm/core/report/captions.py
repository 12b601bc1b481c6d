"""The heading and the caption of each figure in the report; they hold for all parameters of a run."""

from typing import NamedTuple

from mnist_lstm.core.data.sequences import step_word
from mnist_lstm.core.training.augmentation import any_augmentation
from mnist_lstm.core.training.checkpoint import Checkpoint
from mnist_lstm.core.training.fingerprint import CAME_LATER
from mnist_lstm.parameters import AugmentationParameters

AUGMENTATION = "training.augmentation."


class Caption(NamedTuple):
    """A heading, and one sentence that says what to see."""

    heading: str
    sentence: str


# {step} is what is read at a time step, and the other words in braces are those of `_words`
CAPTIONS = {
    "learning_curves_figure": Caption(
        "Learning curves",
        "Loss and accuracy by update: the thin line is the latest batch, before its update, and the thick line the "
        "validation {images}, which are not used to update weights; {compared}.",
    ),
    "classes_figure": Caption(
        "Some {images} of each class",
        "The first test {images} of each class as the network gets them; {look}.",
    ),
    "confusion_figure": Caption(
        "Confusion matrix",
        "Each row holds the test {images} of one class by predicted class: correct answers lie on the diagonal, and a "
        "darker cell off the diagonal is a pair that the network confuses more often.",
    ),
    "mistakes_figure": Caption(
        "The most confident mistakes",
        "The wrong answers with the highest probability, the highest first, each with the class of the {image}, the "
        "predicted class, its probability, and the position among the test {images}.",
    ),
    "accuracy_by_step_figure": Caption(
        "Accuracy by {steps} read",
        "The share of test {images} that are right if reading stops after each {step}, with its interval as a band, "
        "and the share whose answer no longer changes; the network was trained to answer after the last {step} only, "
        "so its earlier answers may be poor.",
    ),
    "beliefs_figure": Caption(
        "Belief by {step}",
        "Next to each {image}, from top to bottom, the probability of each class after each {step}, with a frame "
        "around the {step} after which the leading class stays the same; the network was trained to answer after the "
        "last {step} only, so the rows above show answers that come too early.",
    ),
    "states_figure": Caption(
        "Gates and states", "Inside the cell{layer}, from the first {step} at the top to the last{upwards}: {inside}."
    ),
    "calibration_figure": Caption(
        "Calibration",
        "Of the answers of about the same probability, the share that is right: a point below the dashed line "
        "means that the network is overconfident, a point above it that it is underconfident; the grey bars count the "
        "{images}, and few {images} make long whiskers.",
    ),
}

LOOK = {
    "images": "they should be upright and dark on light, else set data.transposed or data.dark_on_light",
    "series": "steps downwards and features across, each in deviations from its mean",
}

# Their colours and grey values have a meaning, so they are not inverted on dark pages
COLOURED = ("classes_figure", "confusion_figure", "mistakes_figure", "beliefs_figure", "states_figure")

COMPARABLE = "where the first keeps improving and the second does not, the network overfits"

INSIDE = {
    "lstm": "an open input gate lets new information in, an open forget gate keeps what the cell state holds, and an "
    "open output gate passes it to the hidden state, so a column of the cell state that keeps its colour is a unit "
    "that remembers",
    "gru": "a closed reset gate keeps the past out of the candidate state, and an open update gate keeps the hidden "
    "state as it was instead of taking the candidate, so a column of the hidden state that keeps its colour is a unit "
    "that remembers",
    "rnn": "each hidden state is computed from the previous one and the input, without a gate that could keep it",
}

# Instead of the above for a bidirectional network
BOTH_WAYS = {
    "accuracy_by_step_figure": Caption(
        "Accuracy when all is read",
        "A bidirectional network sees the whole {image} before it answers, so this figure shows the accuracy of the "
        "final answer only, with its interval.",
    ),
    "beliefs_figure": Caption(
        "Belief in a few {images}",
        "Next to each {image}, the probability of each class; a bidirectional network sees the whole {image} before it "
        "answers, so this figure shows the final answer only.",
    ),
}


def caption(name: str, checkpoint: Checkpoint) -> Caption:
    """The caption of a figure, by its name in the catalog, for this model and training."""
    chosen = BOTH_WAYS.get(name) if checkpoint.model.bidirectional else None
    words = _words(checkpoint)
    found = Caption(*(part.format(**words) for part in chosen or CAPTIONS[name]))
    ungated = name == "states_figure" and checkpoint.model.cell == "rnn"
    return found._replace(heading="Hidden states") if ungated else found


def _words(checkpoint: Checkpoint) -> dict[str, str]:
    step, model = step_word(checkpoint.view), checkpoint.model
    return {
        "image": checkpoint.data.noun.one,
        "images": checkpoint.data.noun.many,
        "look": LOOK[checkpoint.data.kind],
        "step": step.one,
        "steps": step.many,
        "inside": INSIDE[model.cell],
        "layer": " of the last layer" if model.num_layers > 1 else "",
        "upwards": ", though half of the units read from the bottom up" if model.bidirectional else "",
        "compared": _compared(checkpoint),
    }


def _compared(checkpoint: Checkpoint) -> str:
    """Whether the two learning curves are comparable, and what follows."""
    trained = CAME_LATER | checkpoint.fingerprint_fields
    moves = {key.removeprefix(AUGMENTATION): trained[key] for key in trained if key.startswith(AUGMENTATION)}
    distinct = {
        "dropout": checkpoint.model.dropout > 0,
        "distorted images": any_augmentation(AugmentationParameters(**moves)),
        "smoothed labels": trained["training.label_smoothing"] > 0,
        "bfloat16 arithmetic": trained["training.precision"].startswith("bfloat16"),
    }
    only_first = " and ".join(name for name in distinct if distinct[name])
    differences = [f"the first has {only_first}"] if only_first else []
    if trained["training.ema_decay"] > 0:
        differences.append("the second uses averaged weights")
    return f"they are not comparable: {', '.join(differences)}" if differences else COMPARABLE
