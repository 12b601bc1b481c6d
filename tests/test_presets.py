"""The presets, conf/<name>/parameters.yml: what differs from base, and what each says of itself."""

import re
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from benchmarks import fair
from mnist_lstm.parameters import checked
from mnist_lstm.sections import flattened
from tests.conftest import PARAMETERS

CONF = PARAMETERS.parents[1]
PRESETS = sorted({path.parent.name for path in CONF.glob("*/parameters.yml")} - {"base", "local"})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_on_base_is_valid_and_only_says_what_differs(name: str) -> None:
    base, changes = (yaml.safe_load(path.read_text()) for path in (PARAMETERS, CONF / name / "parameters.yml"))
    merged: Any = OmegaConf.to_container(OmegaConf.merge(base, changes))  # as Kedro does
    checked(merged)
    assert not flattened(changes).items() & flattened(base).items()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_opens_with_its_command_its_time_its_machine_and_the_accuracy_measured(name: str) -> None:
    opening = (CONF / name / "parameters.yml").read_text().partition("\n\n")[0]
    assert f"`kedro run --env {name}`" in opening
    assert re.search(r"\d (s|minutes|hours)\b", opening)
    assert re.search(r"\bcores?\b.*\b(GPU|graphics card)\b", opening)
    assert re.search(r"accuracy.*\b0\.\d{4}\b", opening, re.DOTALL)


@pytest.mark.parametrize("name", ["fair", "fair_patches"])
def test_the_arms_of_a_fair_table_have_equally_many_weights_and_are_trained_alike(name: str) -> None:
    arms = fair.arms(name)
    counts = {name: fair.weights(arm) for name, arm in arms.items()}
    assert all(abs(count / counts["lstm"] - 1) <= 0.02 for count in counts.values()), counts
    alike = {repr(arm.training.model_copy(update={"learning_rate": 1.0})) for arm in arms.values()}
    assert len(alike) == len({repr((arm.sequence, arm.data)) for arm in arms.values()}) == 1
