"""Names of the tags of a run in MLflow, how long a tag may be, and the reading of those that version 0.1 wrote."""

import json

MAX_LENGTH = 5000  # characters, MLflow's limit
PARENT = "mlflow.parentRunId"
COMMIT, DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"
PROCESS = "process"  # that writes the run, in JSON; version 0.1 had a tag for each part, "process.pid" and so on
REASON = "reason"  # why the run did not finish
FINGERPRINT = "training.fingerprint"
PRECISION = "training.precision"  # what `auto` became
UPDATES = "training.updates"  # done so far
WEIGHTS = "weights.sha256"
OF = "evaluates"  # the run whose checkpoint this one evaluates: `of=RUN`
WEIGHTS_OF = "weights.of"  # the run that trained them, where this one reused them
CONTINUES = "continues"  # the interrupted run whose training this one resumes
REPRODUCES = "reproduces"  # the run that this one repeats
CODE_CHANGED = "code.changed"  # the two commits or sources, if they changed while the run went on
REPRODUCTION = "reproduction"  # the verdict
SEALED_RUN = "sealed.run"  # of a run that came in a seal: its id where it ran
SEAL = "sealed.sha256"  # the seal's digest


def process(tags: dict[str, str]) -> dict[str, str]:
    """The process that writes, or wrote, the run; empty if unknown."""
    if PROCESS in tags:
        return {key: str(value) for key, value in json.loads(tags[PROCESS]).items()}
    return {key.removeprefix(f"{PROCESS}."): value for key, value in tags.items() if key.startswith(f"{PROCESS}.")}
