"""Threads and instructions that this process really has."""

import subprocess
import sys

import pytest
import torch

from mnist_lstm.core.training import instructions
from mnist_lstm.core.training.compute import chosen_precision, threads
from mnist_lstm.core.training.instructions import onednn_instructions
from mnist_lstm.errors import UserError
from tests.support.projects import surroundings

TRY = "from mnist_lstm.core.training.compute import threads\nwith threads({count}): print('as many')"
HINDERED = {
    "OMP_DYNAMIC": "true",  # nn.LSTM then computes wrong gradients: nan, or 0.10 where 0.75 is right
    "OMP_THREAD_LIMIT": "1",
    "OMP_MAX_ACTIVE_LEVELS": "0",
}


def tried(count: int, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", TRY.format(count=count)],
        env=surroundings() | environment,
        capture_output=True,
        text=True,
        check=False,
    ).stderr


@pytest.mark.parametrize("name", HINDERED)
def test_fewer_threads_than_the_run_asks_for_are_refused(name: str) -> None:
    value = HINDERED[name]
    expected = f"training.threads 2 needs as many threads of OpenMP, found {name}={value}, with which fewer may start; "
    assert f"{expected}unset {name}, or set training.threads=1." in tried(2, **{name: value})


def test_one_thread_is_there_whatever_openmp_may_start() -> None:
    assert tried(1, **HINDERED) == ""
    with threads(2):
        assert torch.get_num_threads() == 2


def test_onednn_says_which_instructions_it_uses() -> None:
    script = "from mnist_lstm.core.training.instructions import onednn_instructions as f; print(f(), '|', f())"
    held = surroundings() | {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    done = subprocess.run([sys.executable, "-c", script], env=held, capture_output=True, text=True, check=True)
    assert done.stdout == "Intel SSE4.1 | Intel SSE4.1\n"
    assert onednn_instructions().startswith("Intel")


@pytest.mark.parametrize(
    ("used", "found"),
    [
        ("Intel AVX2", "float32"),
        ("Intel AVX-512 with Intel DL Boost", "float32"),  # ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI: slower in bfloat16
        ("Intel AVX-512 with Intel DL Boost and bfloat16 support", "bfloat16"),
        ("Intel AVX10.1/512 with Intel AMX with bfloat16 and 8-bit integer support", "bfloat16"),
    ],
)
def test_bfloat16_needs_instructions_that_onednn_uses(used: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: True)
    for module in (instructions, sys.modules["mnist_lstm.core.training.compute"]):
        monkeypatch.setattr(module, "onednn_instructions", lambda: used)
    assert chosen_precision("auto", torch.device("cpu")) == found
    if found == "float32":
        with pytest.raises(UserError, match=rf"found none on 'cpu' \(oneDNN uses {used}\); set auto or float32"):
            chosen_precision("bfloat16", torch.device("cpu"))
