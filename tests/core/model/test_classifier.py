from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.testing import assert_close

from mnist_lstm.core.model.classifier import CELLS, RecurrentClassifier, classify, new_classifier, restored_classifier
from mnist_lstm.core.model.pooling import POOLINGS
from mnist_lstm.parameters import ModelParameters, Parameters


@pytest.fixture
def model(small: Parameters) -> ModelParameters:
    return small.model


def made(model: ModelParameters, **changes: Any) -> RecurrentClassifier:
    """A classifier of the small data set."""
    return new_classifier(model.model_copy(update=changes), shape=(6, 4), classes=3, seed=1)


def randomized(classifier: RecurrentClassifier) -> dict[str, torch.Tensor]:
    """The weights after each that is trained, biases too, got a random value."""
    with torch.no_grad():
        for weight in classifier.parameters():
            if weight.requires_grad:
                weight.normal_(generator=torch.Generator().manual_seed(weight.numel()))
    return classifier.state_dict()


def some_sequences(count: int = 5, steps: int = 7, features: int = 4) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, steps, features), np.uint8)


def test_the_tutorials_network_has_81674_trained_weights(parameters: Parameters) -> None:
    """TensorFlow's kernel (28 + 128, 4 * 128) with its bias, and the readout (128, 10) with its own."""
    classifier = new_classifier(parameters.model, shape=(28, 28), classes=10, seed=1)
    assert sum(weight.numel() for weight in classifier.parameters() if weight.requires_grad) == 81_674


def test_dropout_acts_in_training_alone_and_between_layers_too(model: ModelParameters) -> None:
    inputs, two = torch.from_numpy(some_sequences()), made(model, num_layers=2)
    for read, classifier in ((two, two), (two.outputs, two), (one := made(model), one)):
        classifier.train()
        assert not torch.equal(read(inputs), read(inputs))
        classifier.eval()
        assert torch.equal(read(inputs), read(inputs))


def test_dropout_zeroes_its_fraction_of_the_last_hidden_state_and_scales_the_rest(model: ModelParameters) -> None:
    classifier = new_classifier(model.model_copy(update={"hidden_size": 100}), shape=(6, 4), classes=100, seed=1)
    with torch.no_grad():
        classifier.readout.weight.copy_(torch.eye(100))
        classifier.readout.bias.zero_()
        inputs = torch.from_numpy(some_sequences(count=200))
        share = classifier(inputs) / classifier.eval()(inputs)
    remaining = share != 0
    assert remaining.double().mean() == pytest.approx(1 - model.dropout, abs=0.02)
    assert_close(share[remaining], torch.full_like(share[remaining], 1 / (1 - model.dropout)))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_takes_the_states_that_it_is_named_after(
    model: ModelParameters, bidirectional: bool, pooling: str
) -> None:
    classifier = made(model, bidirectional=bidirectional, pooling=pooling).eval()
    randomized(classifier)
    inputs = torch.from_numpy(some_sequences())
    with torch.no_grad():
        states = classifier.outputs(inputs).double().numpy()
        found = classifier(inputs)
    if pooling == "last":
        summary = np.concatenate([states[:, -1, :6], states[:, 0, 6:]], axis=1)
    elif pooling == "mean":
        summary = states.mean(axis=1)
    else:
        looks = np.exp(np.tanh(states) @ classifier.attention.weight.detach().double().numpy().T)
        summary = (looks / looks.sum(axis=1, keepdims=True) * states).sum(axis=1)
    weight, bias = (part.detach().double().numpy() for part in classifier.readout.parameters())
    np.testing.assert_allclose(found, summary @ weight.T + bias, atol=1e-5)


def test_attention_starts_as_the_mean(model: ModelParameters) -> None:
    one, other = (classify(made(model, pooling=pooling), some_sequences(), 5) for pooling in ("attention", "mean"))
    np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_answers_do_not_depend_on_the_batch_size_and_no_sequences_get_none(
    model: ModelParameters, batch_size: int
) -> None:
    classifier, inputs = made(model), some_sequences(count=7)
    answers, none = (classify(classifier, part, batch_size) for part in (inputs, inputs[:0]))
    assert answers.dtype == none.dtype == np.float32
    assert (answers.shape, none.shape) == ((7, 3), (0, 3))
    np.testing.assert_allclose(answers, classify(classifier, inputs, 3), atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_classifying_leaves_the_mode_as_it_was(model: ModelParameters, training: bool) -> None:
    classifier = made(model).train(training)
    classify(classifier, some_sequences(), 2)
    assert classifier.training == classifier.dropout.training == training


def test_a_restored_classifier_answers_as_the_one_whose_weights_it_has(model: ModelParameters) -> None:
    classifier = made(model)
    weights = randomized(classifier)
    restored = restored_classifier(model, 4, weights)
    assert not restored.training
    np.testing.assert_array_equal(classify(restored, some_sequences(), 5), classify(classifier, some_sequences(), 5))


@pytest.mark.parametrize(("choices", "field"), [(CELLS, "cell"), (POOLINGS, "pooling")])
def test_the_choices_are_those_that_the_parameters_allow(choices: dict[str, object], field: str) -> None:
    assert set(choices) == set(get_args(ModelParameters.model_fields[field].annotation))
