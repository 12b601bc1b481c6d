"""Sweeps on a Ray cluster of two nodes, one of which dies: the same trials, the same bits, none lost."""

from typing import Any

import pytest

from mnist_lstm.errors import UserError
from tests.support.projects import Project, wait_for
from tests.support.sweeps import GRID, SEARCH, bits, outcomes, running, start, study, sweep, trials

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # those of Ray


def test_a_node_that_dies_in_the_middle_loses_no_trial_and_changes_no_bit(
    project: Project, grid: Project, cluster: Any
) -> None:
    dying, there = cluster.add_node(num_cpus=1), ("--engine", "ray", "--address", cluster.address)
    process = start(project, *GRID, "--name", "six", *there, "--workers", "2")
    wait_for(lambda: process.poll() is not None or len(running(project)) == 2)
    cluster.remove_node(dying, allow_graceful=False)
    assert process.wait() == 0, (project.path / "output.txt").read_text()
    found = trials(project, "six")
    assert bits(project, "six") == bits(grid, "six")
    assert [[run.info.status for run in runs].count("FINISHED") for runs in found.values()] == [1] * 6
    (lost,) = [run for runs in found.values() for run in runs if run.info.status != "FINISHED"]
    assert lost.info.status in ("KILLED", "FAILED")
    assert study(project, "six").info.status == "FINISHED"


def test_a_search_finds_and_prunes_on_a_cluster_what_it_does_here(
    project: Project, search: Project, cluster: Any
) -> None:
    there = ("--engine", "ray", "--address", cluster.address)
    done = sweep(project, *SEARCH, "--trials", "8", "--name", "eight", *there)
    assert done.returncode == 0, done.stdout
    assert bits(project, "eight") == bits(search, "eight")
    assert outcomes(project, "eight") == outcomes(search, "eight")


def test_an_address_where_no_cluster_is_is_refused_in_one_line() -> None:
    from mnist_lstm.cluster.joining import expect_cluster

    with pytest.raises(UserError, match=r"^the address \(--address, RAY_ADDRESS\) must be that of a Ray cluster"):
        expect_cluster("127.0.0.1:1")
