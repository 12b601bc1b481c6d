"""How the hidden states of all steps become one vector.

Each function maps the hidden states of all steps (N, T, D) and the final one (N, D) to the readout's input, (N, D).
Of sequences that end earlier, only the steps that are `present`, bool (N, T, 1), count; None: all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from mnist_lstm.core.model.classifier import RecurrentClassifier


def last(classifier: "RecurrentClassifier", outputs: Tensor, hidden: Tensor, present: Tensor | None) -> Tensor:
    """The final hidden state of each direction."""
    return classifier._full(hidden)


def mean(classifier: "RecurrentClassifier", outputs: Tensor, hidden: Tensor, present: Tensor | None) -> Tensor:
    """The mean of the hidden states over the steps."""
    outputs = classifier._full(outputs)
    return outputs.mean(dim=1) if present is None else _weighted(outputs, torch.zeros_like(outputs[..., :1]), present)


def attention(classifier: "RecurrentClassifier", outputs: Tensor, hidden: Tensor, present: Tensor | None) -> Tensor:
    """The mean of the hidden states, weighted by the softmax of the scores."""
    outputs = classifier._full(outputs)
    return _weighted(outputs, scores(classifier, outputs), present)


def _weighted(outputs: Tensor, relative: Tensor, present: Tensor | None) -> Tensor:
    relative = relative if present is None else relative.masked_fill(~present, -torch.inf)
    return (torch.softmax(relative, dim=1) * outputs).sum(dim=1)


def scores(classifier: "RecurrentClassifier", outputs: Tensor) -> Tensor:
    """Attention scores of the steps, (N, T, 1), before the softmax.

    Source: Zhou et al. 2016, doi:10.18653/v1/P16-2034, who apply another tanh to the weighted mean.
    """
    return classifier.attention(torch.tanh(outputs))  # type: ignore[no-any-return]


POOLINGS: dict[str, Callable[["RecurrentClassifier", Tensor, Tensor, Tensor | None], Tensor]] = {
    "last": last,
    "mean": mean,
    "attention": attention,
}
