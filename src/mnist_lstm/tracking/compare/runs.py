"""The runs to compare: which they are, and what is read of them."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.fingerprint import CAME_LATER
from mnist_lstm.errors import UserError
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.tracking import reader, store, tags
from mnist_lstm.tracking.find_run import find_run
from mnist_lstm.tracking.payloads import with_effect

logger = logging.getLogger(__name__)

TESTED = "test/accuracy"  # the metric of a run that has predictions
HOW = "name two or more (`kedro compare RUN RUN`) or take the newest (`kedro compare --last 2`)"
ABSENT = "–"
BEFORE = {key: str(value) for key, value in CAME_LATER.items()}  # as runs trained that knew no such parameter
SPLITS = {"train": "training images", "valid": "validation images", "test": "test images"}


class Compared(NamedTuple):
    """One of the runs."""

    head: str  # its name, made unique
    entry: Any  # MLflow's run
    predictions: Predictions | None  # of the test images, None if it did not evaluate
    curves: dict[str, list[tuple[int, float]]]  # points (update, value) of each curve by name
    provenance: dict[str, Any]  # content of provenance.json, empty if it has none
    figures: dict[str, bytes]  # that it recorded, PNG files by name

    @property
    def data(self) -> str:
        """The title of its data."""
        return str(self.entry.data.tags.get("data", "unknown data"))

    @property
    def right(self) -> Any:
        """Which test images it has right, bool (N,), if it has predictions."""
        return self.predictions.logits.argmax(axis=1) == self.predictions.labels  # type: ignore[union-attr]

    @property
    def metrics(self) -> dict[str, float]:
        """Its metrics; those on the validation images belong to the weights that classify, not to the last ones."""
        kept = reader.of_kept_weights(self.curves, self.entry.data.params.get("training.keep"))
        return dict(self.entry.data.metrics) | kept

    @property
    def facts(self) -> dict[str, str]:
        """What may tell it from another run: data, status, code, parameters that change a result, packages, machine."""
        digests, found = reader.digests(self.entry), self.entry.data.tags
        environment, machine = (self.provenance.get(key, {}) for key in ("environment", "hardware"))
        packages = {"python": environment.get("python"), **environment.get("packages", {})}
        return (
            {"data": self.data, "status": self.entry.info.status.lower(), "code": self.code}
            | {SPLITS[split]: digest[:8] for split, digest in digests.items()}
            | with_effect(BEFORE | with_current_names(self.entry.data.params))  # version 0.1 recorded all
            # the precision that was used, also where the parameter is "auto"
            | ({tags.PRECISION: found[tags.PRECISION]} if tags.PRECISION in found else {})
            | {name: str(version) for name, version in packages.items() if version and name != "mnist_lstm"}
            | ({"processor": f"{machine['processor']}, {machine.get('capability')}"} if "processor" in machine else {})
        )

    @property
    def code(self) -> str:
        """Its commit, and whether files had changed since."""
        found = self.entry.data.tags
        commit = str(found.get(tags.COMMIT, ABSENT))[:8]
        return f"{commit}-dirty" if "True" in (found.get(tags.DIRTY), found.get("git.dirty")) else commit  # or 0.1's

    @property
    def source(self) -> str:
        """The digest of the package's source, by which two commits with the same source are the same code."""
        return str(self.provenance.get("git", {}).get("source_sha256") or self.code)


def read(project: Path, names: Sequence[str], last: int | None) -> list[Compared]:
    """The runs to compare.

    Args:
        names: an id, a name or "latest" for each run.
        last: take instead this many of the newest runs that a person started and that finished, were evaluated and do
            not reproduce another, oldest first; so neither trials of a sweep nor its winner.

    Raises:
        UserError: if a run is unknown or named twice, or there are fewer than two.
    """
    if bool(names) == bool(last):
        raise UserError(f"the runs must be given once, found {'names and --last' if names else 'none'}: {HOW}.")
    client, _, experiment, _ = store.opened(project)
    if last:
        runs = reader.finished(client, experiment, last, ("evaluated", "been started alone"))[::-1]
    else:
        runs = [find_run(client, experiment, name, did=("trained",)) for name in names]
    if len(runs) < 2:
        raise UserError(
            f"at least two runs must be compared, found {len(runs)} in the experiment {experiment!r}: {HOW}."
        )
    run_id, times = Counter(run.info.run_id for run in runs).most_common(1)[0]
    if times > 1:
        raise UserError(
            f"each run must be named once, found the same run {run_id} {times} times in {', '.join(names)}."
        )
    return compared(client, runs)


def compared(client: Any, runs: Sequence[Any]) -> list[Compared]:
    """What is read of MLflow's runs."""
    heads = unique([(run.info.run_name, run.info.run_id) for run in runs])
    return [_compared(client, run, head) for run, head in zip(runs, heads, strict=True)]


def _compared(client: Any, run: Any, head: str) -> Compared:
    run_id = run.info.run_id
    predictions = reader.predictions(client, run_id)
    if predictions is None and TESTED in run.data.metrics:
        logger.warning("%s It is compared without.", reader.missing(run, "predictions.npz", "recorded none"))
    return Compared(
        head,
        run,
        predictions,
        reader.curves(client, run_id),
        json.loads(reader.fetched(client, run_id, "provenance.json") or b"{}"),
        reader.figures(client, run_id),
    )


def unique(named: Iterable[tuple[str, str]]) -> list[str]:
    """A unique label for each name and id: the name, followed by the start of the id if another has the same name."""
    found = list(named)
    count = Counter(name for name, _ in found)
    return [name if count[name] == 1 else f"{name} {run_id[:8]}" for name, run_id in found]
