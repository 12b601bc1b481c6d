"""How the hidden states of all steps become one vector."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from mnist_lstm.core.model.classifier import RecurrentClassifier


def last(classifier: "RecurrentClassifier", _: Tensor, hidden: Tensor) -> Tensor:
    """The final hidden state of each direction."""
    return classifier._full(hidden)


def mean(classifier: "RecurrentClassifier", outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states over the steps."""
    return classifier._full(outputs).mean(dim=1)


def attention(classifier: "RecurrentClassifier", outputs: Tensor, _: Tensor) -> Tensor:
    """The mean of the hidden states, weighted by the softmax of the scores."""
    outputs = classifier._full(outputs)
    return (torch.softmax(scores(classifier, outputs), dim=1) * outputs).sum(dim=1)


def scores(classifier: "RecurrentClassifier", outputs: Tensor) -> Tensor:
    """Attention scores of the steps, (N, T, 1), before the softmax.

    Source: Zhou et al. 2016, doi:10.18653/v1/P16-2034, who apply another tanh to the weighted mean.
    """
    return classifier.attention(torch.tanh(outputs))  # type: ignore[no-any-return]


# Each maps the hidden states of all steps (N, T, D) and the final one (N, D) to the input of the readout, (N, D)
POOLINGS: dict[str, Callable[["RecurrentClassifier", Tensor, Tensor], Tensor]] = {
    "last": last,
    "mean": mean,
    "attention": attention,
}


def pooled(classifier: "RecurrentClassifier", outputs: Tensor, hidden: Tensor, present: Tensor) -> Tensor:
    """The same for sequences that end earlier: only the steps present, bool (N, T, 1), count."""
    if classifier.model.pooling == "last":
        return classifier._full(hidden)
    outputs = classifier._full(outputs)
    relative = (
        scores(classifier, outputs) if classifier.model.pooling == "attention" else torch.zeros_like(outputs[..., :1])
    )
    return (torch.softmax(relative.masked_fill(~present, -torch.inf), dim=1) * outputs).sum(dim=1)
