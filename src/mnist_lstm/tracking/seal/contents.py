"""What a seal holds: the files that a run recorded, without what belongs to the machine that made them."""

import html
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mnist_lstm.core.data.data_card import DataCard
from mnist_lstm.core.evaluation.metrics import Predictions
from mnist_lstm.core.training.checkpoint import Checkpoint, weights_digest
from mnist_lstm.core.training.checkpoint import from_bytes as checkpoint_from_bytes
from mnist_lstm.errors import UserError
from mnist_lstm.git import GitError, git
from mnist_lstm.redaction import redacted, redacted_diff
from mnist_lstm.tracking import load_model, reader, store, tags
from mnist_lstm.tracking.seal import archive

PROVENANCE, CHECKPOINT, PREDICTIONS, METRICS = "provenance.json", "checkpoint.pt", "predictions.npz", "metrics.json"
LOCK = "requirements.lock"
TEXTS = (".csv", ".html", ".json", ".lock", ".md")
OWN = (("data", "path"), ("data", "mirror"), ("predict", "folder"), ("predict", "model"))  # parameters that hold places
HIDDEN = "…"
# An absolute path of two parts or more, or a file's URL, in a text
PATH = re.compile(r"(?:file:/+|(?<![\w.:/~<-])~?/(?=[^\s/]+/))[^\s\"'<>,;|]*")


@dataclass(frozen=True)
class Seal:
    """An opened seal."""

    files: dict[str, bytes]  # contents by name
    run: dict[str, Any]  # "id", "name", "start_time" and "end_time" (ms since 1970) of the run
    provenance: dict[str, Any]  # of the run, as the next two, as in `reader.Record`
    checkpoint: Checkpoint
    predictions: Predictions
    metrics: dict[str, Any]  # content of metrics.json
    sha256: str  # of the seal

    @property
    def card(self) -> DataCard:
        """The data of the run."""
        return DataCard.from_dict(self.provenance["data"])


def sealed(project: Path, named: str) -> tuple[bytes, str]:
    """The content of a seal, and the id of its run.

    Raises:
        UserError: if there is no such run, or it did not train and evaluate.
    """
    client, _, experiment, registered = store.opened(project)
    run = client.get_run(load_model.run_called(client, experiment, registered, named, ("trained", "evaluated")))
    run_id = run.info.run_id
    load_model.of_run(client, run_id)  # checks its weights, or names what is missing
    files = reader.artifacts(client, run_id)
    if run.info.status != reader.FINISHED or {PROVENANCE, CHECKPOINT, PREDICTIONS} - files.keys():
        raise UserError(
            f"only a run that trained, evaluated and finished can be sealed, run {run_id} ({run.info.run_name}, "
            f"{run.info.status.lower()}) did not: name another."
        )
    about = json.loads(files[PROVENANCE])
    if lock := files.get(LOCK) or _lock_file(project, about):
        files[LOCK] = lock
    if not _metrics(files):  # version 0.1 recorded no such file
        files[METRICS] = json.dumps(run.data.metrics, indent=2, sort_keys=True).encode()
    facts = {"id": run.data.tags.get(tags.SEALED_RUN, run_id), "name": run.info.run_name}
    times = {"start_time": run.info.start_time, "end_time": run.info.end_time}
    content = archive.to_bytes(without_places(files, about, project), facts | times)
    # What nobody could verify is no seal
    parsed(*archive.from_bytes(content, "this run"), "this run", archive.sha256(content))
    return content, run_id


def _lock_file(project: Path, about: dict[str, Any]) -> bytes | None:
    """The lock file that the run had: that of the project, or of the run's commit, if it is the same."""
    expected, code = about["environment"].get("lock_sha256"), about["git"]
    found = [(project / LOCK).read_bytes()] if (project / LOCK).is_file() else []
    try:
        place = f"{code['commit']}:{code.get('folder') or ''}{LOCK}"
        found += [git(project, "show", place).encode(errors="surrogateescape")] if code["commit"] else []
    except GitError:
        pass  # a commit that this repository does not have
    return next((content for content in found if archive.sha256(content) == expected), None)


def without_places(files: dict[str, bytes], about: dict[str, Any], project: Path) -> dict[str, bytes]:
    """The files without paths and passwords: what the record shows of them is removed from every text."""
    places = {str(project), str(Path.home())} - {"/"}
    about = {key: value for key, value in about.items() if key != "process"}
    for block, key in OWN:
        own = about["parameters"].get(block, {}).get(key)
        places |= {own} if isinstance(own, str) and "/" in own else set()
    places |= set(PATH.findall(json.dumps([value for key, value in about.items() if key != "git"], ensure_ascii=False)))
    ordered = sorted(places, key=len, reverse=True)
    diff = about["git"]["diff"]
    clean: dict[str, Any] = _in_all_texts({**about, "git": about["git"] | {"diff": None}}, ordered)
    clean["git"]["diff"] = diff and _without(redacted_diff(diff), ordered)
    clean["git"]["redacted"] = about["git"].get("redacted") or clean["git"]["diff"] != diff
    clean["parameters"] = portable(about["parameters"])
    texts = {
        name: _without(content.decode(errors="surrogateescape"), ordered).encode(errors="surrogateescape")
        for name, content in files.items()
        if name.endswith(TEXTS)
    }
    return files | texts | {PROVENANCE: json.dumps(clean, indent=2).encode()}


def portable(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a run without the places of one machine; of a file of one's own, its name stays."""
    found = {block: dict(values) for block, values in parameters.items()}
    for block, key in OWN:
        own = found.get(block, {}).get(key)
        if isinstance(own, str) and (key in ("path", "mirror", "folder") or "/" in own):
            found[block][key] = PurePath(own).name if key in ("path", "model") else None
    return found


def _in_all_texts(value: Any, places: list[str]) -> Any:
    if isinstance(value, dict):
        return {_in_all_texts(key, places): _in_all_texts(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_all_texts(item, places) for item in value]
    return _without(redacted(value), places) if isinstance(value, str) else value


def _without(text: str, places: list[str]) -> str:
    for place in places:
        text = text.replace(place, HIDDEN).replace(html.escape(place), HIDDEN)
    return text


def opened(path: Path) -> Seal:
    """The seal in a file, whose every byte is checked; nothing in it is run or unpacked.

    Raises:
        UserError: if it was changed, or holds what no run records; names the file inside.
    """
    if not path.is_file():
        raise UserError(f"a seal must be a file that `kedro seal` wrote, found none at {path}.")
    content = path.read_bytes()
    return parsed(*archive.from_bytes(content, path.name), path.name, archive.sha256(content))


def parsed(files: dict[str, bytes], run: dict[str, Any], place: str, digest: str) -> Seal:
    """The files of a seal as values that fit each other.

    Raises:
        UserError: if one does not; names it.
    """
    about = _parsed(files, PROVENANCE, place, json.loads)
    about["parameters"] = _parsed(files, PROVENANCE, place, lambda _: portable(about["parameters"]))
    card = _parsed(files, PROVENANCE, place, lambda _: DataCard.from_dict(about["data"]))
    checkpoint = _parsed(files, CHECKPOINT, place, lambda content: checkpoint_from_bytes(content, CHECKPOINT))
    predictions = _parsed(files, PREDICTIONS, place, _predictions)
    metrics = _parsed(files, _metrics(files) or METRICS, place, json.loads)
    if weights_digest(checkpoint.weights) != about.get("weights_sha256"):
        archive.refuse(place, CHECKPOINT, "holds other weights than provenance.json names")
    if predictions.logits.shape != (card.images["test"], len(card.class_names)):
        archive.refuse(place, PREDICTIONS, "has other images or classes than provenance.json names")
    if not str(run.get("name")).isprintable() or not re.fullmatch(r"\w*", str(about.get("preset") or ""), re.ASCII):
        archive.refuse(place, archive.MANIFEST, "names a run or preset as none is called")
    return Seal(files, run, about, checkpoint, predictions, metrics, digest)


def _parsed(files: dict[str, bytes], name: str, place: str, parse: Any) -> Any:
    try:
        return parse(files[name])
    except KeyError:
        return archive.refuse(place, name, "is missing, or lacks a part")
    except Exception as error:  # each parser raises its own
        return archive.refuse(place, name, f"cannot be read ({type(error).__name__})")


def _predictions(content: bytes) -> Predictions:
    """Arrays that their headers cannot make larger than the file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = Predictions.from_arrays(arrays)
    if found.logits.dtype != np.float32 or found.labels.max() >= found.logits.shape[1]:
        raise ValueError("no logits or labels")
    return found


def _metrics(files: dict[str, bytes]) -> str | None:
    """The name of the file with the metrics."""
    return next((name for name in files if PurePath(name).name == METRICS), None)
