"""The pipelines by name: `kedro run` takes them all, `kedro run --pipelines evaluate` one."""

from kedro.pipeline import Pipeline

from mnist_lstm.pipelines import evaluate, ingest, predict, reshape, train

STAGES = {"ingest": ingest, "reshape": reshape, "train": train, "evaluate": evaluate}


def register_pipelines() -> dict[str, Pipeline]:
    """Each stage; `__default__`, all of them; `without_figures`, all but the drawing; `predict`, on a user's images."""
    stages = {name: stage.create_pipeline() for name, stage in STAGES.items()}
    whole = sum(stages.values(), Pipeline([]))
    return stages | {
        "__default__": whole,
        "without_figures": whole - whole.only_nodes_with_tags("figures"),
        "predict": predict.create_pipeline(),
    }
