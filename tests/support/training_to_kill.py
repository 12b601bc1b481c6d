"""A training of two seconds in a process of its own, for the tests that kill it.

    python training_to_kill.py FOLDER [resume] [kill_at=UPDATE]

Saves its checkpoints in FOLDER through the catalog's dataset, as the node `train` does in a run.
"""

import os
import signal
import sys
from pathlib import Path

import torch
import yaml

from mnist_lstm.core.data.bundled_digits import bundled_digits
from mnist_lstm.core.data.sequences import pixel_order_for, sequence_split
from mnist_lstm.datasets.checkpoints import CheckpointDataset, InterruptedDataset
from mnist_lstm.parameters import checked
from mnist_lstm.pipelines.train.nodes import train

PARAMETERS = Path(__file__).parents[2] / "conf" / "base" / "parameters.yml"
CHANGES = {"iterations": 100, "validate_every": 20, "threads": 1, "report_seconds": 0.0}


def main(folder: str, *words: str) -> None:
    torch.set_num_threads(1)
    options = dict(word.partition("=")[::2] for word in words)
    parameters = checked(yaml.safe_load(PARAMETERS.read_text()))
    training = parameters.training.model_copy(update=CHANGES | {"resume": "resume" in options})
    model = parameters.model.model_copy(update={"dropout": 0.3})
    splits = bundled_digits()
    pixel_order = pixel_order_for(parameters.sequence, 8, 8)
    train_part, valid_part = [sequence_split(part, pixel_order) for part in (splits.train, splits.valid)]
    checkpoints = CheckpointDataset(path=folder)
    interrupted = InterruptedDataset(path=folder).load()
    for saved in train(train_part, valid_part, splits.card, interrupted, parameters.sequence, model, training):
        checkpoint = saved["checkpoint"]
        checkpoints.save(checkpoint)
        if str(checkpoint.state.iteration) == options.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
