"""This project's own training, as `kedro run` does it."""

from pathlib import Path

import numpy as np
import torch
import yaml
from race import LOG_EVERY, Race

from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.model.classifier import new_classifier
from mnist_lstm.core.training.arithmetic import ARITHMETICS
from mnist_lstm.core.training.loop import fit
from mnist_lstm.parameters import checked

BASE = Path(__file__).parents[2] / "conf" / "base" / "parameters.yml"

race = Race()
values = yaml.safe_load(BASE.read_text())
values["model"]["hidden_size"] = race.hidden
values["training"] |= {"iterations": race.updates, "batch_size": race.batch, "precision": race.precision}
values["training"] |= {"log_every": LOG_EVERY, "validate_every": race.updates}
parameters = checked(values)
pixel_order = np.arange(race.steps * race.features).reshape(race.steps, race.features)
train, valid = (SequenceSplit(images, labels, pixel_order) for images, labels in race.images())
kernels = ARITHMETICS[race.precision].by_kernel
shape = (race.steps, race.features)
classifier = new_classifier(parameters.model, shape, 10, parameters.training.seed, portable=kernels)
torch.set_num_threads(parameters.training.threads)
for report in fit(classifier, train, valid, parameters.training, (28, 28)):
    race.read_loss(report.update, report.history[-1]["train_loss"])
race.finish(report.history[-1]["valid_accuracy"])
