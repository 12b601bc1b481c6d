"""What each parameter means and may be; the values stand in conf/base/parameters.yml."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from mnist_lstm.errors import UserError
from mnist_lstm.renamed_parameters import with_current_names

Fraction = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
ALIKE, ALIKE_ELSEWHERE = 0.6, 0.75  # how much of a mistyped key must be right for a hint, in its block and elsewhere


class Section(BaseModel):
    """A block of parameters.yml: every key known, every value of its type, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataParameters(Section):
    """Which images are read."""

    name: str  # one of the sources in the catalog's `image_sources`
    mirror: str | None  # any fsspec URL of a folder that holds the files, asked before the source's own mirrors
    on_unreachable: Literal["bundled_digits", "fail"]  # what to do where no mirror answers
    timeout: PositiveFloat  # seconds that a mirror may stay silent


class SequenceParameters(Section):
    """How an image becomes a sequence."""

    view: Literal["rows", "columns", "rows_reversed", "rows_and_columns", "patches", "pixels", "permuted_pixels"]
    patch_size: PositiveInt  # side in pixels of what the view `patches` reads at a step
    permutation_seed: Seed  # of the order in which the view `permuted_pixels` reads, the same for all splits


class ModelParameters(Section):
    """The recurrent classifier."""

    cell: Literal["lstm", "gru", "rnn"]  # rnn is the plain one, whose hidden state is a tanh
    hidden_size: PositiveInt  # units of the hidden state, H, in each direction
    num_layers: PositiveInt  # recurrent layers, each reading the one below
    bidirectional: bool  # read both from the first step and from the last
    pooling: Literal["last", "mean", "attention"]  # how the hidden states of all steps become one vector
    dropout: Fraction  # fraction dropped in training of what is read out, and of what a layer hands to the next
    forget_bias: float  # added to the forget gate before its sigmoid, never trained; the LSTM alone has one
    initialization: Literal["tensorflow", "torch", "orthogonal", "chrono"]  # chrono: for hundreds of steps

    @model_validator(mode="before")
    @classmethod
    def _of_older_records(cls, values: Any) -> Any:
        """Reads the block of a checkpoint or record of version 0.1, too."""
        return with_current_names({"model": values})["model"]


class AugmentationParameters(Section):
    """How far each training image is moved anew for each update; with all of it zero, images stay as they are."""

    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, to either side
    scale: Fraction  # the size changes by at most this fraction
    shear: Annotated[float, Field(ge=0)]  # pixels sideways for each pixel down, at most
    shift: Annotated[float, Field(ge=0)]  # pixels, at most, along and across
    elastic: Annotated[float, Field(ge=0)]  # pixels by which elastic distortion moves a pixel, root mean square
    elastic_sigma: PositiveFloat  # pixels over which that movement is smooth


class TrainingParameters(Section):
    """The optimisation, its record and its numerics."""

    seed: Seed  # of the initial weights, the order of the batches, dropout and augmentation
    iterations: PositiveInt | None  # updates of the weights
    epochs: PositiveInt | None  # passes over the training images; one of this and `iterations` is null
    patience: PositiveInt | None  # validations without a better accuracy that end the training; null: all updates
    batch_size: PositiveInt  # images an update
    # null: an epoch is any permutation of the images. Or images in a block: for data larger than memory, of which a
    # batch should lie together. The blocks are shuffled, and the images within each 16 of them; so where images lie
    # sorted by class, blocks must be much smaller than a class, or a batch has few classes
    shuffle_block: PositiveInt | None
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: PositiveFloat  # the highest of the schedule
    schedule: Literal["constant", "cosine", "one_cycle"]  # of the learning rate
    warmup: Annotated[int, Field(ge=0)]  # first updates, over which the learning rate rises linearly from zero
    weight_decay: Annotated[float, Field(ge=0)]  # decoupled in AdamW, a penalty on the squared weights in the others
    momentum: Fraction  # of SGD
    clip_norm: PositiveFloat | None  # the gradient's largest norm; null: any
    label_smoothing: Fraction  # of a label's probability, shared by all classes
    ema_decay: Fraction  # of the exponential moving average of the weights, which then classifies; 0: none
    augmentation: AugmentationParameters
    log_every: PositiveInt  # updates between two points of the training curve
    validate_every: PositiveInt  # updates between two passes over the validation images
    keep: Literal["last", "best"]  # the weights after the last update, or those of the best validation accuracy
    precision: Literal["auto", "float32", "bfloat16"]  # of the recurrent layer in training; auto: bfloat16 if fast
    engine: Literal["local", "ray"]  # ray: on the cluster that RAY_ADDRESS names, or else on this machine
    workers: PositiveInt  # of ray: processes that each take a share of every batch
    device: Literal["auto", "cpu", "cuda"]  # auto: cuda where there is one
    threads: PositiveInt  # of torch on the CPU; another count gives other last bits
    report_seconds: Annotated[float, Field(ge=0)]  # between two saves of checkpoint and curves
    resume: bool  # continue from the checkpoint that an interrupted run of these parameters left

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuses values that contradict each other."""
        if (self.iterations is None) == (self.epochs is None):
            raise ValueError(
                "'training.iterations' or 'training.epochs' must be null, and the other a number, not "
                f"{self.iterations!r} and {self.epochs!r}"
            )
        if self.iterations is not None and self.warmup >= self.iterations:
            raise ValueError(
                f"'training.warmup' must be fewer than the {self.iterations} updates of 'training.iterations', not "
                f"{self.warmup!r}"
            )
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(
                f"'training.momentum' must be 0 with the optimizer {self.optimizer!r}, which has its own, not "
                f"{self.momentum!r}"
            )
        if self.engine == "local" and self.workers > 1:
            raise ValueError(f"'training.workers' must be 1 without 'training.engine' ray, not {self.workers!r}")
        if self.batch_size % self.workers:
            raise ValueError(
                f"'training.batch_size' must be a multiple of the {self.workers} 'training.workers', not "
                f"{self.batch_size!r}"
            )
        return self


class EvaluationParameters(Section):
    """The measures on the test images."""

    confidence: Annotated[float, Field(gt=0, lt=1)]  # of the accuracy's interval
    batch_size: PositiveInt  # images in one forward pass; bounds the memory, not the result


class PredictParameters(Section):
    """The user's images that the pipeline `predict` reads, and the model that reads them."""

    folder: str | None  # of pictures, with all folders below it, or one file, also of IDX images
    model: str  # `champion` or another alias, a run's id or name, `latest`, or the path of a checkpoint (*.pt)


class Parameters(Section):
    """All of parameters.yml."""

    data: DataParameters
    sequence: SequenceParameters
    model: ModelParameters
    training: TrainingParameters
    evaluation: EvaluationParameters
    predict: PredictParameters


def checked(raw: dict[str, Any]) -> Parameters:
    """The parameters of a run, with every mistake told at once.

    Args:
        raw: nested values as YAML and the command line give them.

    Raises:
        UserError: naming each wrong key, what was found there and what may stand there.
    """
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        found = mistakes(error, "parameter", Parameters)
        raise UserError(f"{found}. See conf/base/parameters.yml and src/mnist_lstm/parameters.py.") from None


def mistakes(error: ValidationError, noun: str, root: type[BaseModel]) -> str:
    """Every mistake in values that are no `root`, each told with its key, and `noun` for what the keys are."""
    return "; ".join(f"{noun} {_sentence(mistake, root)}" for mistake in error.errors())


def _sentence(mistake: Any, root: type[BaseModel]) -> str:
    key = ".".join(map(str, mistake["loc"]))
    if mistake["type"] == "extra_forbidden":
        return f"{key!r} is unknown{_nearest_key(mistake['loc'], root)}"
    if mistake["type"] == "missing":
        return f"{key!r} is missing"
    if mistake["type"] == "value_error":  # of several keys, which it names itself
        return str(mistake["ctx"]["error"])
    meaning = mistake["msg"].removeprefix("Input ")
    return f"{key!r} {meaning}, not {mistake['input']!r}"


def _nearest_key(loc: tuple[str | int, ...], root: type[BaseModel]) -> str:
    """The key of `root` most like the one at `loc`, among its siblings first and then anywhere."""
    *block, name = map(str, loc)
    keys = [*root.model_fields, *flat_keys(root)]
    siblings = [key for key in keys if key.rpartition(".")[0] == ".".join(block)]
    for known, alike in ((siblings, ALIKE), (keys, ALIKE_ELSEWHERE)):
        names = [key.rpartition(".")[2] for key in known]
        if matches := get_close_matches(name, names, n=1, cutoff=alike):
            meant = (repr(key) for key, own in zip(known, names, strict=True) if own == matches[0])
            return f" (did you mean {' or '.join(dict.fromkeys(meant))}?)"
    return ""


def flat_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key below a section, with dots: 'model.hidden_size'."""
    keys: list[str] = []
    for name, field in section.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            keys += flat_keys(below, f"{prefix}{name}.")
        else:
            keys.append(prefix + (field.alias or name))
    return keys


def flattened(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values as one level with dots: {'model': {'hidden_size': 128}} to {'model.hidden_size': 128}."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flattened(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
