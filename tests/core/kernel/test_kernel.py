"""The kernel computes what torch computes, with bits that neither instructions nor threads change."""

import copy
import ctypes
import hashlib
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mnist_lstm.core.kernel import layers, library, updates
from mnist_lstm.core.kernel.functions import cosine, exponential, logarithm, sine
from mnist_lstm.core.model.classifier import CELLS, new_classifier
from mnist_lstm.core.training.augmentation import Augmentation
from mnist_lstm.core.training.checkpoint import weights_digest
from mnist_lstm.core.training.compute import threads
from mnist_lstm.core.training.loop import fit
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TRAINED_BY_KERNEL, AugmentationParameters, Parameters
from tests.conftest import Sequences
from tests.core.conftest import KERNEL, MOVED, SIZE, needs_bfloat16_kernel, needs_kernel

# N, T, F, H, layers, directions: ones, primes, and each side of the paddings and of a chunk of sequences
SIZES = [
    (1, 1, 1, 1, 1, 1),
    (2, 1, 28, 1, 1, 1),
    (3, 5, 1, 7, 1, 1),
    (31, 7, 5, 13, 1, 1),
    (33, 4, 3, 17, 1, 1),
    (37, 3, 65, 16, 1, 1),
    (67, 6, 3, 33, 2, 2),
    (600, 2, 2, 5, 1, 1),
]


def network(cell: str, features: int, units: int, number: int = 1, directions: int = 1) -> nn.RNNBase:
    torch.manual_seed(units)
    return CELLS[cell](features, units, number, batch_first=True, bidirectional=directions == 2)


def sized(cell: str, size: tuple[int, ...]) -> tuple[nn.RNNBase, Tensor]:
    """A network of a size, and sequences for it."""
    count, steps, features, units, number, directions = size
    layer = network(cell, features, units, number, directions)
    return layer, torch.randn(count, steps, features, generator=torch.Generator().manual_seed(1))


def results(layer: nn.RNNBase, read: Callable[[Tensor], Any], inputs: Tensor, use: str = "both") -> list[Tensor]:
    """Outputs, last hidden states, and the gradients of inputs and weights."""
    inputs = inputs.clone().requires_grad_()
    layer.zero_grad()
    outputs, state = read(inputs)
    hidden = state[0] if isinstance(state, tuple) else state
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=inputs.dtype).view_as(outputs)
    loss = (outputs * weights).sum() * (use != "hidden") + (hidden * hidden).sum() * (use != "outputs")
    loss.backward()
    return [outputs.detach(), hidden.detach(), inputs.grad, *(weight.grad for weight in layer.parameters())]


def test_where_there_is_a_compiler_the_kernel_is_built() -> None:
    if sys.platform == "linux" and shutil.which("gcc"):
        assert library.library()


def test_portable_precision_trains_the_cells_of_the_kernel() -> None:
    assert {network(cell, 1, 1).mode for cell in TRAINED_BY_KERNEL["model.cell"]} == set(layers.GATES)


@needs_kernel
@pytest.mark.parametrize("cell", TRAINED_BY_KERNEL["model.cell"])
@pytest.mark.parametrize("size", SIZES)
def test_a_layer_and_its_gradients_are_those_of_torch_in_float64(cell: str, size: tuple[int, ...]) -> None:
    layer, inputs = sized(cell, size)
    found = results(layer, lambda given: layers.recurrent(layer, given), inputs)
    exact = copy.deepcopy(layer).double()
    for one, other in zip(found, results(exact, exact, inputs.double()), strict=True):
        assert (one - other).abs().max() <= 4e-6 * other.abs().max()


@needs_kernel
@pytest.mark.parametrize("cell", TRAINED_BY_KERNEL["model.cell"])
@pytest.mark.parametrize("size", SIZES)
def test_without_a_way_back_no_bit_is_another(cell: str, size: tuple[int, ...]) -> None:
    layer, inputs = sized(cell, size)
    with torch.inference_mode():
        outputs, _ = layers.recurrent(layer, inputs)
    assert torch.equal(outputs, layers.recurrent(layer, inputs)[0].detach())


@needs_kernel
@pytest.mark.parametrize("cell", TRAINED_BY_KERNEL["model.cell"])
@pytest.mark.parametrize("use", ["outputs", "hidden"])
def test_outputs_or_last_states_may_have_no_gradient(cell: str, use: str) -> None:
    layer, inputs = network(cell, 3, 5), torch.rand(4, 6, 3)
    found = results(layer, lambda given: layers.recurrent(layer, given), inputs, use)
    assert_close(found, results(layer, layer, inputs, use), rtol=1e-4, atol=1e-5)


@needs_bfloat16_kernel
@pytest.mark.parametrize("cell", TRAINED_BY_KERNEL["model.cell"])
@pytest.mark.parametrize("size", SIZES)
def test_in_bfloat16_a_layer_and_its_gradients_are_as_exact_as_by_torch_and_no_number_of_threads_changes_them(
    cell: str, size: tuple[int, ...]
) -> None:
    layer, inputs = sized(cell, size)
    exact = copy.deepcopy(layer).double()
    right = results(exact, exact, inputs.double())

    def found(workers: int) -> list[Tensor]:
        with threads(workers):
            return results(layer, lambda given: layers.recurrent(layer, given, bfloat16=True), inputs)

    def autocast(given: Tensor) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return layer(given)

    def errors(tensors: list[Tensor]) -> list[float]:
        return [float((one - other).norm() / (other.norm() + 1e-30)) for one, other in zip(tensors, right, strict=True)]

    own = found(1)
    assert_close(found(3), own, rtol=0, atol=0)
    assert max(errors(own)) < max(errors(results(layer, autocast, inputs)))
    assert max(errors(own)) < 0.05


@needs_bfloat16_kernel
def test_bfloat16_keeps_the_sign_and_the_kind_of_numbers_that_are_not_finite() -> None:
    layer = network("lstm", 1, 3)
    for value in (math.nan, math.inf, -math.inf):
        outputs, _ = layers.recurrent(layer, torch.full((1, 2, 1), value), bfloat16=True)
        assert_close(outputs.float(), layer(torch.full((1, 2, 1), value))[0], rtol=0.02, atol=0.02, equal_nan=True)


@needs_kernel
@pytest.mark.parametrize("bfloat16", [False, pytest.param(True, marks=needs_bfloat16_kernel)])
def test_the_cell_state_keeps_counting(bfloat16: bool) -> None:
    layer = nn.LSTM(1, 1, batch_first=True)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        layer.get_parameter("bias_ih_l0").copy_(
            torch.tensor([30.0, 30.0, math.atanh(1e-3), 30.0])
        )  # adds 1/1000 at each step
        outputs, _ = layers.recurrent(layer, torch.zeros(1, 2000, 1), bfloat16)
    # half of the last bit of bfloat16, 2^-9, and the bias, which is a bfloat16 there
    rounding = 0.005 if bfloat16 else 1e-4
    assert_close(outputs[0, :, 0].float(), torch.tanh(torch.arange(1, 2001) / 1000), rtol=rounding, atol=0)


def variants() -> Iterator[str]:
    """The builds that this processor can run."""
    yield "plain"
    own = library.VARIANTS.get(torch.backends.cpu.get_cpu_capability())
    yield from ("avx2", "avx512") if own == "avx512" else [own] if own else []


# The digest of the weights and the loss, found on an x86-64 processor with AVX2: the same must come out on any other
TRAINED = {
    "lstm": "d5c32944370096ce368ec1ef625c3b07b2ea5449077ba55b83280e124ae33c5c0.9099638288965071",
    "gru": "ad0d892655dddd3d4f1415794897dd9c4b5a76ee3be6dd562edb690857adce5f0.898277068009156",
    "rnn": "bec28cfd0b46b709a7a5c3e453e83c353ad7522447ea3a09cba80dd3628bfc880.08318993017848637",
}


@needs_kernel
@pytest.mark.parametrize("cell", TRAINED_BY_KERNEL["model.cell"])
def test_instructions_and_threads_change_no_bit(
    cell: str, small: Parameters, sequences: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine", "clip_norm": 0.5, "ema_decay": 0.9}
    changes |= {"label_smoothing": 0.1, "precision": "portable", "iterations": 12, "batch_size": 40}
    layers_of = {"cell": cell, "num_layers": 2, "bidirectional": True, "dropout": 0.2, "hidden_size": 19}
    model = small.model.model_copy(update=layers_of)

    def digest(variant: str, count: int) -> str:
        for module in (layers, updates):
            monkeypatch.setattr(module, "library", lambda _=False: library.loaded(variant))
        training = small.training.model_copy(update=changes | {"threads": count, "augmentation": MOVED})
        classifier = new_classifier(model, (6, 4), 3, seed=1, portable=True)
        *_, last = fit(classifier, sequences.train, sequences.valid, training, SIZE)
        state = last.state()
        return weights_digest(state.classifying) + str(state.history[-1]["valid_loss"])

    assert {digest(variant, count) for variant in variants() for count in (1, 2, 4)} == {TRAINED[cell]}


@needs_kernel
def test_a_smoothed_loss_and_its_gradient_are_those_of_torch() -> None:
    one, other = (torch.randn(7, 11, generator=torch.Generator().manual_seed(0)).requires_grad_() for _ in range(2))
    kernels = layers.portable_cross_entropy(one, torch.arange(7), 0.1)
    torchs = cross_entropy(other, torch.arange(7), label_smoothing=0.1)
    (kernels + torchs).backward()
    assert_close([kernels, one.grad], [torchs, other.grad], rtol=1e-5, atol=1e-7)


@needs_kernel
def test_extreme_logits_have_a_finite_loss_and_those_that_are_not_numbers_have_none() -> None:
    logits, targets = torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([1])
    assert layers.portable_cross_entropy(logits, targets, 0.0) == 2e4
    assert layers.portable_cross_entropy(logits * math.nan, targets, 0.0).isnan()
    assert not layers.portable_cross_entropy(logits * math.inf, targets, 0.0).isfinite()


@needs_kernel
def test_the_norm_of_gradients_is_limited_as_by_torch() -> None:
    found = []
    for limit in (nn.utils.clip_grad_norm_, updates.clip_norm):
        weights = [torch.zeros(3, 5), torch.zeros(4)]
        for weight in weights:
            weight.grad = torch.arange(weight.numel()).float().view_as(weight)
        limit(weights, 0.7)
        found.append([weight.grad for weight in weights])
    assert_close(*found, rtol=1e-6, atol=0)


@needs_kernel
def test_images_move_as_by_torch_up_to_rounding() -> None:
    settings = AugmentationParameters(
        rotation=30, scale=0.2, shear=0.2, shift=2.0, elastic=1.5, elastic_sigma=4.0, pixel_dropout=0
    )
    images = torch.randint(0, 256, (20, 9, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    order = np.arange(63).reshape(9, 7)
    portable, torchs = (
        Augmentation(settings, 1, order, (9, 7), torch.device("cpu"), portable)(images, 5).int()
        for portable in (True, False)
    )
    assert (portable - torchs).abs().max() <= 1
    assert (portable != images).float().mean() > 0.5


def test_functions_are_those_of_the_library_up_to_rounding() -> None:
    x = np.linspace(-math.pi, math.pi, 1001)
    np.testing.assert_allclose(sine(x), np.sin(x), rtol=0, atol=1e-14)
    np.testing.assert_allclose(cosine(x), np.cos(x), rtol=0, atol=1e-14)
    # not np.geomspace, whose last bits differ between AVX2 and AVX-512
    positive = np.ldexp(np.linspace(1, 2, 1001), np.arange(-1000, 1002, 2))
    np.testing.assert_allclose(logarithm(positive), np.log(positive), rtol=1e-14, atol=1e-15)
    negative = np.append(-positive[positive < 690], [-690.0, 0.0, -1e300, -np.inf])
    np.testing.assert_allclose(exponential(negative), np.exp(negative), rtol=1e-14, atol=1e-300)
    # found on an x86-64 processor with AVX2: the same must come out on any other
    bits = b"".join(each.tobytes() for each in (sine(x), logarithm(positive), exponential(negative)))
    assert hashlib.sha256(bits).hexdigest()[:16] == "dd9eb6b8760a7352"


def test_portable_orthogonal_weights_and_chronos_biases_are_such(small: Parameters) -> None:
    model = small.model.model_copy(update={"hidden_size": 50, "initialization": "chrono"})
    weights = new_classifier(model, (90, 4), 10, seed=1, portable=True).state_dict()
    for gate in weights["recurrent.weight_hh_l0"].double().split(50):
        assert_close(gate @ gate.T, torch.eye(50).double(), rtol=0, atol=1e-6)
    biases = weights["recurrent.bias_ih_l0"].exp()
    assert 1 <= biases[50:100].min() < 10 < 80 < biases[50:100].max() <= 89
    assert_close(biases[:50], 1 / biases[50:100])
    # found on an x86-64 processor with AVX2: the same must come out on any other
    assert weights_digest(weights)[:16] == "544f0f5da556310d"


@needs_kernel
@pytest.mark.parametrize(
    "wrong", [torch.zeros(2, 4), torch.zeros(3, 2).t(), torch.zeros(2, 3).double(), torch.zeros(2, 3, device="meta")]
)
def test_a_tensor_that_the_kernel_could_not_read_never_reaches_it(wrong: Tensor) -> None:
    with pytest.raises(ValueError, match=r"needs a contiguous torch.float32 \(2, 3\) on the CPU, found"):
        library.address(wrong, 2, 3)


@pytest.mark.parametrize(
    ("instructions", "build"), [("AVX512", "avx512"), ("AVX2", "avx2"), ("DEFAULT", "plain"), ("SVE256", "plain")]
)
def test_the_build_is_that_for_the_instructions_of_torch(
    instructions: str, build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: instructions)
    monkeypatch.setattr(library, "loaded", str)
    assert str(library.library()) == build
    assert str(library.library(bfloat16=True)) == "bfloat16"


def test_a_missing_damaged_or_older_kernel_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal() -> str:
        library.loaded.cache_clear()
        with pytest.raises(UserError) as refused:
            library.library()
        return str(refused.value)

    if KERNEL:
        (other := tmp_path / "kernel.c").write_bytes(library.SOURCE.read_bytes() + b"\n")
        with monkeypatch.context() as changed:
            changed.setattr(library, "SOURCE", other)
            assert re.search("needs the compiled kernel of this version, .* is of another; build it", refusal())
    with monkeypatch.context() as changed:
        changed.setattr(library, "FOLDER", tmp_path)
        assert "needs the compiled kernel, found none in" in refusal()
        variant = library.VARIANTS.get(torch.backends.cpu.get_cpu_capability(), "plain")
        (tmp_path / f"_{variant}.so").write_bytes(b"no library")
        assert "could not be loaded" in refusal()
        changed.setattr(ctypes, "CDLL", lambda _: object())  # a version without these functions
        assert "needs the compiled kernel of this version" in refusal()
    library.loaded.cache_clear()


@needs_kernel
def test_threads_of_the_kernel_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    class Watched(ctypes.Structure):
        _fields_ = layers.Sizes._fields_

        def __init__(self, *sizes: int) -> None:
            found.append(sizes[5])
            super().__init__(*sizes)

    monkeypatch.setattr(layers, "Sizes", Watched)
    with threads(3):
        layers.recurrent(network("lstm", 2, 3), torch.zeros(1, 2, 2))
    assert found == [3]
