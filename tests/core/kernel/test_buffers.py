"""The buffers of an update are used again while training lasts, and only once they are free."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from mnist_lstm.core.kernel import buffers, layers
from mnist_lstm.core.kernel.buffers import buffer, give_back, kept_buffers
from tests.core.conftest import SIZE, Trial, needs_kernel

STEPS = SIZE[0]


def gradients(layer: nn.LSTM, inputs: list[Tensor]) -> list[Tensor]:
    """Of one graph that reads all of the inputs before any gradient."""
    layer.zero_grad()
    torch.stack([layers.recurrent(layer, each)[0].sum() for each in inputs]).sum().backward()
    return [weight.grad.clone() for weight in layer.parameters() if weight.grad is not None]


@needs_kernel
def test_layers_directions_and_readings_of_one_size_do_not_share_a_buffer() -> None:
    torch.manual_seed(1)
    layer, inputs = nn.LSTM(5, 7, 2, batch_first=True, bidirectional=True), [*torch.randn(3, 33, 4, 5)]
    alone = gradients(layer, inputs)
    with kept_buffers():
        for _ in range(3):
            assert all(map(torch.equal, gradients(layer, inputs), alone))


@needs_kernel
def test_a_graph_is_used_a_second_time_only_where_its_gates_are_not_given_to_others() -> None:
    layer, inputs = nn.LSTM(5, 7, batch_first=True), torch.randn(3, 4, 5)
    read = layers.recurrent(layer, inputs)[0].sum()
    read.backward(retain_graph=True)
    read.backward()
    with kept_buffers():
        read = layers.recurrent(layer, inputs)[0].sum()
        read.backward(retain_graph=True)
        with pytest.raises(RuntimeError, match="cannot be used again"):
            read.backward()


def test_a_training_within_another_leaves_its_buffers() -> None:
    with kept_buffers():
        first = buffer(3, 5)
        give_back(first)
        with kept_buffers():
            assert buffer(3, 5) is not first
        assert buffer(3, 5) is first


def test_a_buffer_is_taken_again_only_while_they_are_kept_and_of_its_kind() -> None:
    with kept_buffers():
        first = buffer(3, 5)
        assert buffer(3, 5) is not first
        give_back(first)
        assert buffer(5, 3) is not first
        assert buffer(3, 5, dtype=torch.int16) is not first
        assert buffer(3, 5) is first
        give_back(first)
    give_back(first)
    assert buffer(3, 5) is not first


@needs_kernel
def test_training_makes_gates_and_states_for_its_first_update_alone(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def empty(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        made.append(shape)
        return torch.empty(shape, dtype=dtype)

    monkeypatch.setattr(buffers, "torch", SimpleNamespace(empty=empty, Size=torch.Size))
    list(trial.reports(precision="portable"))
    of_updates = [shape for shape in made if shape[0] >= STEPS]  # evaluation keeps one step's
    assert len(of_updates) == 2
    assert buffers._spare is None
