"""Threads and instructions that this process really has."""

import subprocess
import sys

import torch

from mnist_lstm.core.training.compute import expect_threads, threads
from mnist_lstm.core.training.instructions import onednn_instructions
from tests.support.projects import surroundings

# What OpenMP and oneDNN do in a process that the environment holds back
HELD = {
    "OMP_DYNAMIC": "true",  # nn.LSTM then computes wrong gradients: nan, or accuracy 0.10 where 0.75 is right
    "OMP_THREAD_LIMIT": "1",
    "OMP_MAX_ACTIVE_LEVELS": "0",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}
SCRIPT = """
from mnist_lstm.core.training.compute import expect_threads
from mnist_lstm.core.training.instructions import onednn_instructions
from mnist_lstm.errors import UserError
print(onednn_instructions())
expect_threads(1)
print("one thread is always there")
try:
    expect_threads(2)
except UserError as error:
    print(error)
"""


def test_what_the_environment_withholds_is_noticed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=surroundings() | HELD, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "Intel SSE4.1",
        "one thread is always there",
        "training.threads 2 needs as many threads of OpenMP, found OMP_DYNAMIC=true and OMP_THREAD_LIMIT=1 and "
        "OMP_MAX_ACTIVE_LEVELS=0, with which fewer may start; unset these, or set training.threads=1.",
    ]


def test_here_as_many_threads_come_as_a_run_asks_for() -> None:
    expect_threads(2)
    with threads(2):
        assert torch.get_num_threads() == 2
    assert onednn_instructions().startswith("Intel")
