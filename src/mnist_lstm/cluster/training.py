"""One training by several workers of a Ray cluster, by torch's DistributedDataParallel."""

import threading
from collections.abc import Iterator
from typing import Any

import ray
import torch
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from mnist_lstm.cluster.joining import expect_room, joined, local_actor
from mnist_lstm.core.data.sequences import SequenceSplit
from mnist_lstm.core.model.classifier import RecurrentClassifier
from mnist_lstm.core.training import loop as core
from mnist_lstm.core.training.compute import chosen_device
from mnist_lstm.core.training.data_parallel import DataParallel
from mnist_lstm.core.training.learner import Row, TrainingState
from mnist_lstm.core.training.loop import Report, paced
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import TrainingParameters
from mnist_lstm.temporary_folder import temporary_folder

REPLACEMENTS = 3  # of workers that have died, after which the run fails
POLL = 0.1  # seconds
GRACE = 20.0  # seconds in which workers end after a mistake of one, for whom they may wait in vain


Sent = tuple[int, list[Row], TrainingState]  # a report on its way: update, history, and its state


def fit(
    classifier: RecurrentClassifier,
    train: SequenceSplit,
    valid: SequenceSplit,
    training: TrainingParameters,
    size: tuple[int, int],
    state: TrainingState | None = None,
) -> Iterator[Report]:
    """Trains as `core.training.fit` does, by `training.workers` workers; the classifier given stays as it is.

    Reports come as often as they are saved. Where a worker dies, all go on from the last of them.

    Raises:
        UserError: as `core.training.fit`, or if workers died too often.
    """
    cards = int(chosen_device(training.device).type == "cuda")  # for each worker
    with joined(None), temporary_folder() as folder:
        expect_room(training.workers * training.threads, training.workers * cards)
        queue = local_actor(ReportQueue).remote(state)
        work = ray.put((classifier, train, valid, training, size, queue))
        errors: list[Exception] = []
        trainer = _trainer(work, training, cards, str(folder))
        attempt = threading.Thread(target=_fit, args=(trainer, errors), daemon=True)
        attempt.start()
        while attempt.is_alive():
            yield from _taken(queue)
            attempt.join(POLL)
            if ray.get(queue.mistake.remote()):
                attempt.join(GRACE)
                break
        yield from _taken(queue)
        if mistake := ray.get(queue.mistake.remote()):
            raise UserError(mistake)
        if errors:
            raise UserError(f"training on Ray must keep its workers, found {errors[0]}; see Ray's logs.")


def _taken(queue: Any) -> Iterator[Report]:
    for update, history, state in ray.get(queue.taken.remote()):
        yield Report(update, history, lambda state=state: state)  # type: ignore[misc]


class ReportQueue:
    """The actor next to this process: takes the workers' reports, and knows from where to go on."""

    def __init__(self, state: TrainingState | None):
        self._state, self._waiting, self._mistake = state, list[Sent](), ""

    def send(self, sent: Sent) -> None:
        """Takes a report."""
        self._waiting.append(sent)
        *_, self._state = sent

    def taken(self) -> list[Sent]:
        """The reports since the last call."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def state(self) -> TrainingState | None:
        """From where to go on."""
        return self._state

    def give_up(self, mistake: str) -> None:
        """Takes a user's mistake, after which no worker is replaced."""
        self._mistake = mistake

    def mistake(self) -> str:
        """The mistake, or nothing."""
        return self._mistake


def _fit(trainer: TorchTrainer, errors: list[Exception]) -> None:
    """Runs Ray's trainer, which returns when all is done; the thread that waits for this one reports its error."""
    try:
        trainer.fit()
    except Exception as error:
        errors.append(error)


def _trainer(work: Any, training: TrainingParameters, cards: int, folder: str) -> TorchTrainer:
    needs = {"CPU": training.threads, "GPU": cards}
    return TorchTrainer(
        _work,
        train_loop_config={"work": work},
        scaling_config=ScalingConfig(num_workers=training.workers, use_gpu=bool(cards), resources_per_worker=needs),
        run_config=RunConfig(storage_path=folder, failure_config=FailureConfig(max_failures=REPLACEMENTS)),
    )


def _work(config: dict[str, Any]) -> None:
    """A worker: trains with the others; the first one reports."""
    classifier, train, valid, training, size, queue = ray.get(config["work"])
    rank, workers = torch.distributed.get_rank(), torch.distributed.get_world_size()
    state, parallel = ray.get(queue.state.remote()), DataParallel(rank, workers)
    reports = core.fit(classifier, train.writable(), valid.writable(), training, size, state, parallel)
    try:
        for report in paced(reports, training.report_seconds) if rank == 0 else reports:
            if rank == 0:
                ray.get(queue.send.remote((report.update, report.history, report.state())))
    except UserError as error:
        ray.get(queue.give_up.remote(str(error)))
