"""What the page is told of a drawing: the answer, and how the network came to it."""

from typing import Any

from mnist_lstm.core.data.sequences import step_word, to_sequences
from mnist_lstm.core.evaluation.by_step import class_probabilities_by_step, decision_steps
from mnist_lstm.core.inference.decode import decode
from mnist_lstm.core.inference.preprocess import prepare
from mnist_lstm.core.training.checkpoint import Checkpoint


class Reader:
    """Reads drawings with one trained classifier, prepared as every picture is.

    Args:
        checkpoint: of the classifier.
    """

    def __init__(self, checkpoint: Checkpoint):
        self._checkpoint = checkpoint
        self._classifier = checkpoint.classifier()

    @property
    def about(self) -> dict[str, Any]:
        """What the page shows of the model before anything is drawn."""
        data = self._checkpoint.data
        return {
            "model": f"{self._checkpoint.label} on {data.title}",
            "classes": data.class_names,
            "step": step_word(self._checkpoint.sequence.view).one,
            "by_rows": self._checkpoint.sequence.view == "rows",
        }

    def read(self, content: bytes) -> dict[str, Any]:
        """The answer to the picture in a file's content.

        Returns:
            "image": (height, width), 0 to 255, as the network was given it; "beliefs": the probability of each class
            after each step, (S, K), of which the last are the answer's (one that reads both ways has S = 1); "decided":
            the step, from 1, after which the answer does not change any more.

        Raises:
            PictureError: if there is nothing to read on it.
        """
        image = prepare(decode(content), self._checkpoint.data)
        (belief,) = class_probabilities_by_step(
            self._classifier, to_sequences(image[None], self._checkpoint.pixel_order())
        )
        decided = int(decision_steps(belief.argmax(axis=-1)))
        return {"image": image.tolist(), "beliefs": belief.tolist(), "decided": decided}
