"""What several tests start from: the project's parameters, and images few and small enough to train on at once."""

import os
import signal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import yaml
from hypothesis import settings

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.data.sequences import SequenceSplit, pixel_order_for, sequence_split
from mnist_lstm.core.data.splits import ImageSplit, Splits, data_card
from mnist_lstm.parameters import Parameters, SequenceParameters, checked

pytest_plugins = [f"tests.support.{name}" for name in ("projects", "mnist_run", "browser", "sweeps")]
# Fixtures that take long to make or hold a server, by the group of tests that one worker runs
GROUPS = {
    "mnist": "mnist",
    "port": "serving",
    "together": "data parallel",
    **dict.fromkeys(("grid", "search", "cluster"), "sweeps"),
}

PARAMETERS = Path(__file__).parents[1] / "conf" / "base" / "parameters.yml"

# the same examples in every run, and no verdict on elapsed time
settings.register_profile("mnist_lstm", derandomize=True, deadline=None)
settings.load_profile("mnist_lstm")
os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"  # settings.py may be imported where a test restores the environment
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # in the background, by nohup: what tests start would inherit it
        signal.signal(number, lambda *_: None)
torch.set_num_threads(1)  # on a busy machine two threads that wait for each other are slower by far


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a browser or a run on MNIST as slow, groups, and lets what is slow run first."""
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        if needed & {"browser", "mnist"}:
            item.add_marker(pytest.mark.slow)
        for fixture in sorted(needed & GROUPS.keys())[:1]:
            item.add_marker(pytest.mark.xdist_group(GROUPS[fixture]))
            if item.config.getoption("loadgroup", False) and hasattr(item, "_id"):
                # what xdist 3.8.0 does to `_nodeid`, which pytest 9.2 no longer reads
                item._id = type(item._id).parse(f"{item.nodeid}@{GROUPS[fixture]}")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def raw() -> dict[str, Any]:
    """conf/base/parameters.yml as YAML reads it, with an LSTM that reads rows whatever it may say."""
    from tests.support.projects import PINNED  # pytest must import the plugin itself

    found = yaml.safe_load(PARAMETERS.read_text())
    return {**found, **{block: found[block] | changes for block, changes in yaml.safe_load(PINNED).items()}}


@pytest.fixture
def parameters(raw: dict[str, Any]) -> Parameters:
    """The tutorial's."""
    return checked(raw)


@pytest.fixture
def small(parameters: Parameters) -> Parameters:
    """The tutorial's, but in torch's arithmetic, of a size that trains in a tenth of a second, and with dropout."""
    model = parameters.model.model_copy(update={"hidden_size": 6, "dropout": 0.4})
    sizes = {"iterations": 12, "batch_size": 16, "learning_rate": 0.01, "log_every": 2, "validate_every": 5}
    conduct = {"threads": 1, "report_seconds": 0.0, "precision": "float32"}
    training = parameters.training.model_copy(update=sizes | conduct)
    return parameters.model_copy(update={"model": model, "training": training})


@pytest.fixture
def splits() -> Splits:
    """Noise of 6 x 4 pixels in which two bright rows, at the top, in the middle or at the bottom, name the class."""
    parts = {split: _bars(count, seed) for seed, (split, count) in enumerate(SIZES.items())}
    return Splits(**parts, card=data_card("bars", "bars of noise", parts, ["top", "middle", "bottom"], files={}))


class Sequences(NamedTuple):
    """The sequences of a small data set."""

    train: SequenceSplit
    valid: SequenceSplit
    test: SequenceSplit
    card: DataCard


@pytest.fixture
def sequences(splits: Splits) -> Sequences:
    """The same data set read by rows: six steps of four pixels."""
    pixel_order = pixel_order_for(read_by("rows"), *splits.card.image_shape)
    train, valid, test = (sequence_split(part, pixel_order) for part in (splits.train, splits.valid, splits.test))
    return Sequences(train, valid, test, splits.card)


def read_by(view: str) -> SequenceParameters:
    """A view with the parameters that some need."""
    return SequenceParameters.model_validate({"view": view, "patch_size": 3, "permutation_seed": 1})


SIZES = {"train": 50, "valid": 17, "test": 21}


def _bars(count: int, seed: int) -> ImageSplit:
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, (count, 6, 4), np.uint8)
    labels = random.integers(0, 3, count, np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += 150
    return ImageSplit(images, labels)
