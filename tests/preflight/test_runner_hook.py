"""One pipeline at a time in a process, and its nodes one after the other."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner, ThreadRunner

from mnist_lstm.errors import UserError
from mnist_lstm.parameters import Parameters
from mnist_lstm.pipeline_registry import LazyPipeline
from mnist_lstm.preflight.parameters_hook import CheckParameters
from mnist_lstm.preflight.runner_hook import CheckRunner, expect_runner
from mnist_lstm.tracking.hook import Tracking

RUN = {"runner": "None"}


def test_a_runner_that_runs_nodes_at_once_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"^--runner must be SequentialRunner, not 'ThreadRunner': .*leave it out"):
        expect_runner(str(ThreadRunner()))
    expect_runner(str(SequentialRunner()))


def test_a_second_run_in_the_process_is_refused_until_the_first_has_ended() -> None:
    hook = CheckRunner()
    with ThreadPoolExecutor(2) as threads:  # as `kedro server` has for its requests
        both = threading.Barrier(2)

        def first() -> None:
            hook.before_pipeline_run(RUN)
            hook.before_node_run(is_async=False)
            both.wait()
            both.wait()
            hook.on_pipeline_error()
            both.wait()

        def second() -> None:
            both.wait()
            with pytest.raises(UserError, match="only one pipeline may run in a process"):
                hook.before_pipeline_run(RUN)
            with pytest.raises(UserError, match="only one pipeline"):  # where both began at the same moment
                hook.before_node_run(is_async=False)
            hook.on_pipeline_error()  # of the refused run
            with pytest.raises(UserError, match="only one pipeline"):
                hook.before_pipeline_run(RUN)
            both.wait()
            both.wait()
            hook.before_pipeline_run(RUN)
            hook.before_node_run(is_async=False)

        for done in [threads.submit(first), threads.submit(second)]:
            done.result(timeout=20)
    hook.before_pipeline_run(RUN)  # the threads, and so their runs, are gone


def test_datasets_are_not_saved_in_other_threads() -> None:
    with pytest.raises(UserError, match=r"^--async must be left out"):
        CheckRunner().before_node_run(is_async=True)


def test_contexts_that_are_created_at_once_have_their_own_parameters(parameters: Parameters) -> None:
    checks = CheckParameters()
    tracking = Tracking(checks.parameters)
    checks._parameters, tracking._signal = parameters, "here"
    with ThreadPoolExecutor(1) as threads:
        assert not threads.submit(hasattr, checks, "_parameters").result()
        assert threads.submit(lambda: tracking._signal).result() is None
    assert checks.parameters() is parameters


def test_a_pipeline_that_two_threads_use_first_is_created_once() -> None:
    created, both = [], threading.Barrier(2)

    def create() -> Pipeline:
        created.append(True)
        time.sleep(0.05)
        return Pipeline([])

    pipeline = LazyPipeline(create)

    def use(_: int) -> int:
        both.wait()
        return len(pipeline.nodes)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(use, range(2))) == [0, 0]
    assert created == [True]
