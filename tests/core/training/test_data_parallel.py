"""Training by two processes together: the curve of one process, to rounding."""

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import distributed
from torch.multiprocessing.spawn import spawn

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.data_parallel import SINGLE_PROCESS, DataParallel
from mnist_lstm.core.training.loop import fit
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import BY_KERNEL, checked
from tests.conftest import PARAMETERS
from tests.core.conftest import WAYS
from tests.support.projects import free_port

TWO = 2
ROUNDING = 1e-4
TOGETHER: dict[str, dict[str, Any]] = {"plain": {}} | {
    name: way for name, way in WAYS.items() if name not in ("bfloat16", *BY_KERNEL, "all at once")
}
DIVERGING = {"learning_rate": 1e38}


def history(changes: dict[str, Any], data_parallel: DataParallel) -> list[list[float]]:
    """Loss, accuracy, and validation loss of 50 updates on the bundled digits, of every tenth."""
    parameters, splits = checked(yaml.safe_load(PARAMETERS.read_text())), bundled_digits()
    training = parameters.training.model_copy(
        update={"iterations": 50, "validate_every": 10, "threads": 1, "precision": "float32"} | changes
    )
    model = parameters.model.model_copy(update={"hidden_size": 16})
    pixel_order = pixel_order_for(parameters.sequence, 8, 8)
    train, valid = [sequence_split(part, pixel_order) for part in (splits.train, splits.valid)]
    reports = fit(
        new_classifier(model, (8, 8), 10, seed=1), train, valid, training, (8, 8), data_parallel=data_parallel
    )
    columns = ("train_loss", "train_accuracy", "valid_loss")
    return [[row[column] for column in columns] for row in [*reports][-1].history]


def work(rank: int, port: int, folder: str) -> None:
    """One of the two processes."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=TWO)
    found: dict[str, Any] = {name: history(way, DataParallel(rank, TWO)) for name, way in TOGETHER.items()}
    try:
        history(DIVERGING, DataParallel(rank, TWO))
    except UserError as error:
        found["diverging"] = str(error)
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))
    distributed.barrier()  # none leaves while another still needs it
    gc.collect()  # a classifier that still holds the group would abort the process at its exit
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("together")
    spawn(work, (free_port(), str(folder)), nprocs=TWO)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(TWO)]


@pytest.mark.slow
@pytest.mark.parametrize("way", TOGETHER)
def test_two_processes_follow_the_curve_of_one(together: list[dict[str, Any]], way: str) -> None:
    alone = history(TOGETHER[way], SINGLE_PROCESS)
    assert np.abs(np.array(together[0][way]) - alone).max() < ROUNDING
    assert together[0][way] == together[1][way]


@pytest.mark.slow
def test_both_stop_where_training_diverges(together: list[dict[str, Any]]) -> None:
    assert "must stay finite" in together[0]["diverging"]
    assert together[0]["diverging"] == together[1]["diverging"]
