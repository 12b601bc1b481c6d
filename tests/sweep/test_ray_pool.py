"""Sweeps on a Ray cluster of two nodes, one of which dies: the same trials, the same bits, none lost."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.projects import Project, wait_for
from tests.sweep.sweeps import DIGITS, RANGES, bits, start, study, sweep, trials

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # those of Ray

LONGER = ["--params", "data.name=digits,training.iterations=200,training.validate_every=20,training.report_seconds=0.0"]
GRID = ["--grid", "model.hidden_size=16,24", "--seeds", "2", *LONGER]
SEARCH = [*RANGES, "--trials", "8", *DIGITS]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster with a node of one processor, which stays."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def test_a_node_that_dies_in_the_middle_loses_no_trial_and_changes_no_bit(project: Project, cluster: Any) -> None:
    here = sweep(project, *GRID, "--name", "here")
    assert here.returncode == 0, here.stdout
    dying = cluster.add_node(num_cpus=1)
    process = start(
        project, *GRID, "--name", "there", "--engine", "ray", "--address", cluster.address, "--workers", "2"
    )
    wait_for(lambda: process.poll() is not None or running(project) == 2)
    cluster.remove_node(dying, allow_graceful=False)
    assert process.wait() == 0
    found = trials(project, "there")
    assert bits(project, "there") == bits(project, "here")
    assert [[run.info.status for run in runs].count("FINISHED") for runs in found.values()] == [1] * 4
    (lost,) = [run for runs in found.values() for run in runs if run.info.status != "FINISHED"]
    assert lost.info.status in ("KILLED", "FAILED")
    assert study(project, "there").info.status == "FINISHED"


def test_a_search_finds_and_prunes_on_a_cluster_what_it_does_here(project: Project, cluster: Any) -> None:
    here = sweep(project, *SEARCH, "--name", "here")
    there = sweep(project, *SEARCH, "--name", "there", "--engine", "ray", "--address", cluster.address)
    assert there.returncode == 0, there.stdout
    assert bits(project, "there") == bits(project, "here")
    assert outcomes(project, "there") == outcomes(project, "here")
    assert "pruned at update" in here.stdout


def running(project: Project) -> int:
    """How many trials run on the cluster."""
    return sum(run.info.status == "RUNNING" and "sweep" not in run.data.tags for run in project.runs())


def outcomes(project: Project, name: str) -> dict[str, tuple[str, str]]:
    """Status and reason of each trial."""
    return {trial: (run.info.status, run.data.tags.get("reason", "")) for trial, [run] in trials(project, name).items()}


def test_an_address_where_no_cluster_is_is_told_in_one_line(project: Project) -> None:
    done = sweep(project, *GRID, "--engine", "ray", "--address", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(
        "Error: the address (--address, RAY_ADDRESS) must be that of a Ray cluster"
    )
