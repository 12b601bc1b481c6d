"""What each figure of the report shows, and the sentence under it; {step} is what is read at a time step."""

from typing import NamedTuple

from mnist_lstm.core.sequences import step_word
from mnist_lstm.parameters import ModelParameters


class Caption(NamedTuple):
    """A heading, and one sentence that says what to see."""

    heading: str
    sentence: str


CAPTIONS = {
    "learning_curves_print": Caption(
        "Learning curves",
        "Loss falls and accuracy rises from update to update: the thin line is the batch just being learned, the thick "
        "one the validation images, from which nothing is learned, so that where the two part the network has begun "
        "to learn by heart.",
    ),
    "confusion_figure": Caption(
        "Confusion matrix",
        "Each row holds the test images of one class by what they were taken for: right answers lie on the diagonal, "
        "and a dark cell beside it is a pair that the network mixes up.",
    ),
    "mistakes_figure": Caption(
        "The most confident mistakes",
        "The wrong answers of which the network was surest: some would puzzle a person too, others show what it has "
        "not learned, and all show that a high probability is no proof.",
    ),
    "accuracy_by_step_print": Caption(
        "Accuracy by {steps} read",
        "How many test images would be right if reading stopped there: trained to answer after the last {step} only, "
        "the network need not be any good before, and where the lines rise is where it makes up its mind.",
    ),
    "beliefs_figure": Caption(
        "Belief by {step}",
        "Beside each image, from top to bottom, how probable each class seems after each {step}, with a frame where "
        "the leading class changes for the last time; the network was trained to answer after the last {step} only, so "
        "what stands above is what it would say if it were asked too soon.",
    ),
    "states_figure": Caption(
        "Gates and states",
        "Inside the cell, from the first {step} at the top to the last: {inside}, so a column that keeps its colour is "
        "a unit that remembers.",
    ),
    "calibration_figure": Caption(
        "Calibration",
        "A network that is right as often as it is sure has its points on the dashed line; below it is too sure of "
        "itself, above too modest, and the grey bars show that few images tell about the low probabilities.",
    ),
}

INSIDE = {
    "lstm": "an open input gate lets news in, an open forget gate keeps what the cell state holds, and an open output "
    "gate shows it to the readout as the hidden state",
    "gru": "a shut reset gate keeps the past out of the candidate state, and an open update gate keeps the hidden "
    "state as it was instead of taking the candidate",
    "rnn": "each hidden state is made anew from the last one and the pixels, without a gate that could keep it",
}

# In place of the above for a network that reads both ways
BOTH_WAYS = {
    "accuracy_by_step_print": Caption(
        "Accuracy when all is read",
        "The network reads an image from both ends at once, so that it has an answer only after the last {step}: there "
        "stands how many test images are right.",
    ),
    "beliefs_figure": Caption(
        "Belief in a few images",
        "Beside each image, how probable each class seems to the network, which reads from both ends at once and so "
        "has an answer only when all is read.",
    ),
}


def caption(name: str, model: ModelParameters, view: str) -> Caption:
    """Heading and sentence of a figure by its name in the catalog, for this network and view."""
    chosen = BOTH_WAYS.get(name) if model.bidirectional else None
    words = {"step": step_word(view).one, "steps": step_word(view).many, "inside": INSIDE[model.cell]}
    return Caption(*(part.format(**words) for part in chosen or CAPTIONS[name]))
