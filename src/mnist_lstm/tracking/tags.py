"""Names of the tags of a run in MLflow, and how long a tag may be."""

MAX_LENGTH = 5000  # characters, MLflow's limit
PARENT = "mlflow.parentRunId"
PROCESS = "process."  # prefix of the tags that identify the process that writes the run
REASON = "reason"  # why the run did not finish
FINGERPRINT = "training.fingerprint"
PRECISION = "training.precision"  # what `auto` became
UPDATES = "training.updates"  # done so far
WEIGHTS = "weights.sha256"
CONTINUES = "continues"  # the interrupted run whose training this one resumes
REPRODUCES = "reproduces"  # the run that this one repeats
CODE_CHANGED = "code.changed"  # the two commits or sources, if they changed while the run went on
REPRODUCTION = "reproduction"  # the verdict
