"""The exponential moving average of the weights, which classifies better than the weights of any one update."""

import copy

import torch

from mnist_lstm.core.models import RecurrentClassifier


def average_into(averaged: RecurrentClassifier, classifier: RecurrentClassifier, decay: float, number: int) -> None:
    """Moves the average towards the weights after update `number`, faster at the beginning.

    Source of the rising decay: https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage.
    """
    share = 1 - min(decay, (1 + number) / (10 + number))
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), classifier.parameters(), strict=True):
            mean.lerp_(weight, share)


def average_of(classifier: RecurrentClassifier) -> RecurrentClassifier:
    """An average that has seen the classifier's present weights alone; it never trains."""
    return copy.deepcopy(classifier).eval().requires_grad_(False)
