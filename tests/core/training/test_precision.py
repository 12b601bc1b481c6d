"""Which arithmetic trains: the one that is named, and what `auto` finds."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mnist_lstm.core.kernel import library
from mnist_lstm.core.training import instructions
from mnist_lstm.core.training.compute import chosen_precision
from mnist_lstm.errors import UserError
from tests.core.conftest import Trial, assert_same_bits, needs_kernel

NEEDS = r"^training\.precision 'portable' needs "


def chosen(trial: Trial, precision: str, device: str = "cpu", of_series: bool = False, **model: Any) -> str:
    """The precision that trains the small data set where `precision` is requested."""
    training = trial.parameters.training.model_copy(update={"precision": precision})
    return chosen_precision(trial.parameters.model.model_copy(update=model), training, torch.device(device), of_series)


def hardware(monkeypatch: pytest.MonkeyPatch, device: str, bfloat16: bool, onednn: str = "") -> None:
    """A machine whose `device` multiplies in bfloat16, or none that does."""
    for module in (instructions, sys.modules["mnist_lstm.core.training.compute"]):
        monkeypatch.setattr(module, "onednn_instructions", lambda: onednn)
    for kind, function in (
        ("cpu", "torch.cpu._is_avx512_bf16_supported"),
        ("cpu", "torch.cpu._is_amx_tile_supported"),
        ("cuda", "torch.cuda.is_bf16_supported"),
    ):
        monkeypatch.setattr(function, lambda *_, kind=kind, **__: bfloat16 and kind == device)


@needs_kernel
@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize(
    ("changes", "portable"),
    [
        ({}, True),
        ({"initialization": "chrono", "num_layers": 2, "bidirectional": True, "dropout": 0.5}, True),
        ({"cell": "gru"}, True),
        ({"cell": "rnn"}, True),
        ({"cell": "own"}, False),
        ({"pooling": "mean"}, False),
        ({"of_series": True}, False),
        ({"device": "cuda"}, False),
    ],
)
def test_auto_is_portable_where_that_can_train_else_bfloat16_where_there_is_hardware_for_it(
    trial: Trial, changes: dict[str, Any], portable: bool, bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, changes.get("device", "cpu"), bfloat16)
    expected = "portable" if portable else "bfloat16" if bfloat16 else "float32"
    assert chosen(trial, "auto", **changes) == expected


def test_without_a_kernel_auto_trains_in_float32_and_says_so_and_portable_is_refused(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hardware(monkeypatch, "cpu", bfloat16=False)
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library.loaded.cache_clear()
    assert_same_bits(trial.states(precision="auto")[-1], trial.states()[-1])
    (line,) = caplog.messages
    assert line.startswith(
        "Trains in float32: training.precision 'portable' or 'bfloat16_kernel' needs the compiled kernel"
    )
    with pytest.raises(UserError, match=r"needs the compiled kernel, found none in .*; build it with"):
        trial.states(precision="portable")
    hardware(monkeypatch, "cpu", bfloat16=True)
    with pytest.raises(UserError, match=r"needs the compiled kernel, found none in "):
        trial.states(precision="bfloat16_kernel")


def test_portable_precision_is_refused_for_series_and_graphics_cards(trial: Trial) -> None:
    with pytest.raises(UserError, match=rf"{NEEDS}images, found series; set auto\.$"):
        chosen(trial, "portable", of_series=True)
    with pytest.raises(UserError, match=rf"{NEEDS}the CPU, found cuda; set auto\.$"):
        chosen(trial, "portable", "cuda")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_that_is_named_trains(
    trial: Trial, precision: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, device, bfloat16=True)
    assert chosen(trial, precision, device) == precision


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_bfloat16_without_hardware_for_it_is_refused(
    trial: Trial, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, device, bfloat16=False)
    with pytest.raises(UserError, match=rf"^training\.precision 'bfloat16' needs .* none on '{device}'; set auto or"):
        chosen(trial, "bfloat16", device)
    with pytest.raises(UserError, match=r"'bfloat16_kernel' needs a processor with AVX-512 BF16, found none; set port"):
        trial.states(precision="bfloat16_kernel")


@pytest.mark.parametrize(
    ("used", "found"),
    [
        ("Intel AVX2", "float32"),
        ("Intel AVX-512 with Intel DL Boost", "float32"),  # ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI: slower in bfloat16
        ("Intel AVX-512 with Intel DL Boost and bfloat16 support", "bfloat16"),
        ("Intel AVX10.1/512 with Intel AMX with bfloat16 and 8-bit integer support", "bfloat16"),
    ],
)
def test_bfloat16_needs_instructions_that_onednn_uses(
    trial: Trial, used: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware(monkeypatch, "cpu", bfloat16=True, onednn=used)
    assert chosen(trial, "auto", pooling="mean") == found
    if found == "float32":
        with pytest.raises(UserError, match=rf"found none on 'cpu' \(oneDNN uses {used}\); set auto or float32"):
            chosen(trial, "bfloat16")


def test_in_auto_this_machine_trains(trial: Trial) -> None:
    assert_same_bits(trial.states(precision="auto")[-1], trial.states(precision=chosen(trial, "auto"))[-1])


@needs_kernel
def test_what_the_kernel_trained_it_also_tests_and_torch_does_where_it_is_not_built(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torchs = trial.checkpoint()
    kernels = replace(torchs, fingerprint_fields=torchs.fingerprint_fields | {"training.precision": "portable"})
    sequences = trial.data.test.sequences
    one, other = torchs.logits(sequences, 8), kernels.logits(sequences, 8)
    np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)
    assert (one != other).any()
    assert (kernels.logits(sequences, 20) == other).all()
    assert not caplog.messages
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library.loaded.cache_clear()
    assert (kernels.logits(sequences, 8) == one).all()
    (line,) = caplog.messages
    assert line.startswith("Classifies by torch, whose last bits differ between processors: training.precision ")
