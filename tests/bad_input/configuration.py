"""Files of conf/ that are damaged, and paths in them that leave their folders."""

from tests.bad_input import CATALOG, DIGITS, MLFLOW, PARAMETERS, Mistake, append, replace, sources, write
from tests.bad_input.functions import files, options
from tests.support.projects import CLOSED

IMAGES = "train-images-idx3-ubyte.gz"
FILES = (PARAMETERS, CATALOG, MLFLOW)
CONFIGURATION = {
    f"{name} is {what}": Mistake((name,), change=change(name), refused_by=files)
    for name in FILES
    for what, change in {
        "no YAML": lambda name: append(name, "model: [\n"),
        "indented by a tab": lambda name: append(name, "model:\n\tcell: lstm\n"),
        "a list": lambda name: write(name, "- 1\n- 2\n"),
        "a picture": lambda name: write(name, b"\x89PNG\r\n\x1a\n\0\0\0"),
        "no UTF-8": lambda name: write(name, b"model: {cell: \xff\xfe}\n"),
        "a file with a key twice": lambda name: append(name, "\nmodel: {cell: lstm}\nmodel: {cell: gru}\n"),
    }.items()
} | {
    **{f"{name} is a word": Mistake(("'hello'",), change=write(name, "hello\n")) for name in FILES},
    "parameters.yml is empty": Mistake(("'evaluation' is missing",), change=write(PARAMETERS, "")),
    "parameters.yml has an anchor that is not there": Mistake((PARAMETERS,), change=append(PARAMETERS, "x: *y\n")),
    "parameters.yml interpolates nothing": Mistake(
        ("nowhere",), change=replace(PARAMETERS, "seed: 1", "seed: ${nowhere}")
    ),
    "a preset mistypes a key": Mistake(
        ("'model.hiden_size'", "did you mean 'model.hidden_size'"),
        ("run", "--env", "wide"),
        write("conf/wide/parameters.yml", "model: {hiden_size: 256}\n"),
    ),
    "a preset in a misspelt file": Mistake(
        ("conf/wide/params.yml must begin with 'parameters'",),
        ("run", "--env", "wide"),
        write("conf/wide/params.yml", "model: {hidden_size: 256}\n"),
        refused_by=options,
    ),
    "a preset is no YAML": Mistake(
        ("conf/wide/parameters.yml",), ("run", "--env", "wide"), write("conf/wide/parameters.yml", "model: [\n")
    ),
    "mlflow.yml lacks a key": Mistake(
        ("'tracking.enabled' is missing", "mlflow.yml"), change=replace(MLFLOW, "  enabled: true\n", "")
    ),
    "pictures in the catalog, as version 0.1 had them": Mistake(
        ("data.path", "found leaves", "docs/your-own-data.md"),
        ("run", "--params", DIGITS),
        sources(folders={"leaves": {"title": "Leaves"}}),
    ),
    "a downloaded file of the wrong size": Mistake(
        (IMAGES, "9912422 bytes", "delete it"), change=write(f"data/01_raw/mnist/{IMAGES}", b"hello")
    ),
    "no mirror answers and the run must not go on": Mistake(
        (IMAGES, CLOSED, "Put the file into", "data/01_raw/mnist"),
        ("run", "--params", "data.on_unreachable=fail"),
        lambda project: project.set_mirrors(CLOSED),
    ),
    "mlflow.yml mistypes a key": Mistake(("enbled", "mlflow.yml"), change=replace(MLFLOW, "enabled:", "enbled:")),
    "a source misses its checksum": Mistake(
        ("'mnist.files.train_images.checksum'", "catalog.yml"),
        change=replace(CATALOG, "checksum: sha256:440", "cheksum: sha256:440"),
    ),
    "a file's name leaves its folder": Mistake(
        ("'mnist.files.train_images.name'", "../../train", "catalog.yml"),
        change=replace(CATALOG, "bytes: 9912422", "bytes: 9912422\n          name: ../../train"),
    ),
    "a source's name leaves its folder": Mistake(
        ("'../mnist'", "catalog.yml"), change=replace(CATALOG, "    mnist:", "    ../mnist:")
    ),
    "the registered model has an unknown placeholder": Mistake(
        ("'tracking.registry.name'", "{data} alone in braces"),
        change=replace(MLFLOW, 'name: "{data}-lstm"', 'name: "{dta}-lstm"'),
    ),
    "an experiment's name leaves its folder": Mistake(
        ("'tracking.experiment.name'", "../../elsewhere"),
        ("run", "--params", f"{DIGITS},tracking.experiment.name=../../elsewhere"),
    ),
    "image_sources is empty": Mistake(("image_sources",), change=replace(CATALOG, "  idx:", "  idxx:")),
    "a dataset's type is mistyped": Mistake(
        ("train_sequences",), change=replace(CATALOG, "npz.SequencesDataset", "npz.SequenceDataset")
    ),
    "a kind of record is mistyped": Mistake(
        ("metrix", "did you mean 'metrics'"),
        ("run", "--params", DIGITS),
        replace(CATALOG, "mlflow: metrics", "mlflow: metrix"),
    ),
    "an artifact is of another class": Mistake(
        ("'per_class'", "FileDataset", "found CSVDataset"),
        ("run", "--params", DIGITS),
        replace(
            CATALOG,
            "type: mnist_lstm.datasets.text.CSVDataset\n  filepath: data/08_reporting/per_class.csv",
            "type: pandas.CSVDataset\n  filepath: data/08_reporting/per_class.csv",
        ),
    ),
    "mlflow.db is a text": Mistake(
        ("mlflow.db", "must answer"), ("run", "--params", DIGITS), write("mlflow.db", "hello")
    ),
}
