"""What each parameter means and may be; the values stand in conf/base/parameters.yml."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from mnist_lstm.data_parameters import DataParameters
from mnist_lstm.errors import UserError
from mnist_lstm.parameter_types import FROM_NUMBER, PATH, Amount, Fraction, Resume, Seed, View
from mnist_lstm.renamed_parameters import with_current_names
from mnist_lstm.sections import TRANSIENT, Role, Section, flattened, mistakes, roles

BASE = "conf/base/parameters.yml"
LABEL, UNNAMED = Role(named="label"), Role(named="never")


class SequenceParameters(Section):
    """How an image becomes a sequence."""

    view: Annotated[View, LABEL]
    # Side, in pixels, of the square that the view `patches` reads at each step
    patch_size: Annotated[PositiveInt, Role(only_with=("sequence.view", "patches"))]
    # Of the order in which the view `permuted_pixels` reads, the same for all splits
    permutation_seed: Annotated[Seed, Role(only_with=("sequence.view", "permuted_pixels"))]


class ModelParameters(Section):
    """The recurrent classifier."""

    cell: Annotated[Literal["lstm", "gru", "rnn"], LABEL]  # rnn: the plain one, whose hidden state is a tanh
    hidden_size: Annotated[PositiveInt, LABEL]  # units of the hidden state, H, in each direction
    num_layers: Annotated[PositiveInt, LABEL]  # recurrent layers, each reading the one below
    bidirectional: Annotated[bool, LABEL]  # read from the first step and from the last
    # How the hidden states of all steps become one vector
    pooling: Annotated[Literal["last", "mean", "attention"], Role(named="label", hashed_as="model.readout")]
    # Of an LSTM. refined: with uniformly initialized biases of the gates, which needs forget_bias 0
    gates: Annotated[Literal["plain", "refined"], Role(neutral=("plain",))]
    # Of an LSTM, the fraction of the units that keep their state in a step of training, and the weight of that state
    # in the mean that evaluation computes
    zoneout: Annotated[Fraction, Role(neutral=(0.0,))]
    dropout: Fraction  # in training, of the pooled hidden state and of each layer's input from the layer below
    # Added to the forget gate before its sigmoid, never trained
    forget_bias: Annotated[float, Role(only_with=("model.cell", "lstm"))]
    # chrono and uniform_gates: for hundreds of steps
    initialization: Literal["tensorflow", "torch", "orthogonal", "chrono", "uniform_gates"]

    @classmethod
    def recorded(cls, values: dict[str, Any]) -> Self:
        """The block of a checkpoint or record, also of version 0.1."""
        return cls(**{"gates": "plain", "zoneout": 0.0} | with_current_names({"model": values})["model"])

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuses gates and zoneout that the cell cannot have, and other initial biases of refined gates."""
        for key, value, neutral in (("gates", self.gates, "plain"), ("zoneout", self.zoneout, 0.0)):
            if value != neutral and self.cell != "lstm":
                raise ValueError(f"'model.{key}' must be {neutral} with the cell {self.cell!r}, not {value!r}")
        if self.gates == "refined" and (self.forget_bias or self.initialization in ("chrono", "uniform_gates")):
            raise ValueError(
                "'model.gates' refined has initial biases of its own, so 'model.forget_bias' must be 0 and "
                "'model.initialization' neither chrono nor uniform_gates, not "
                f"{self.forget_bias!r} and {self.initialization!r}"
            )
        return self


class AugmentationParameters(Section):
    """How each training image is moved and erased at random, anew for each update; all zero: not at all."""

    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, at most, to either side
    scale: Fraction  # the size changes by at most this fraction
    shear: Amount  # pixels sideways for each pixel down, at most
    shift: Amount  # pixels, at most, along and across
    elastic: Amount  # pixels by which elastic distortion moves a pixel, root mean square
    elastic_sigma: PositiveFloat  # pixels over which that movement is smooth
    # This fraction of the pixels becomes 0, paper; Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    pixel_dropout: Annotated[Fraction, Role(neutral=(0.0,))]


MOVEMENTS = ("rotation", "scale", "shear", "shift", "elastic")
AUGMENTATIONS = (*MOVEMENTS, "pixel_dropout")  # all 0: none


class TrainingParameters(Section):
    """Optimisation, recording and numerics."""

    seed: Annotated[Seed, LABEL]  # of the initial weights, the order of the batches, dropout and augmentation
    iterations: Annotated[PositiveInt | None, Role(or_null=True)]  # updates of the weights; null where epochs is given
    epochs: Annotated[PositiveInt | None, Role(or_null=True)]  # passes over the training images; null otherwise
    patience: PositiveInt | None  # validations without a better accuracy that end the training; null: never
    batch_size: PositiveInt  # images an update
    # null: an epoch is any permutation of the images. A number: images in a block, for data larger than memory, where a
    # batch should lie together. The blocks are shuffled, and the images within each 16 of them; where images are sorted
    # by class, blocks must therefore be much smaller than a class, or a batch has few classes
    shuffle_block: Annotated[PositiveInt | None, Role(neutral=(None,))]
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: PositiveFloat  # the highest of the schedule
    schedule: Literal["constant", "cosine", "one_cycle"]  # of the learning rate
    warmup: Annotated[int, Field(ge=0)]  # first updates, over which the learning rate rises linearly from zero
    weight_decay: Amount  # decoupled in AdamW, a penalty on the squared weights in the others
    momentum: Fraction  # of SGD
    clip_norm: PositiveFloat | None  # largest norm of the gradient; null: any
    label_smoothing: Fraction  # of a label's probability, shared by all classes
    ema_decay: Fraction  # of the exponential moving average of the weights, which then classifies; 0: none
    augmentation: AugmentationParameters
    log_every: Annotated[PositiveInt, UNNAMED]  # updates between two points of the training curve
    validate_every: PositiveInt  # updates between two passes over the validation images
    keep: Literal["last", "best"]  # the weights after the last update, or those of the best validation accuracy
    # portable: float32 with the same bits on every processor and with any number of threads. bfloat16: of the recurrent
    # layer in training, by torch; bfloat16_kernel: by the kernel of portable, faster and with cell states in float32.
    # auto: portable where it can train this and is built, else bfloat16 if fast, else float32
    precision: Literal["auto", "float32", "bfloat16", "portable", "bfloat16_kernel"]
    # ray: on the cluster that RAY_ADDRESS names, or otherwise on this machine
    engine: Annotated[Literal["local", "ray"], Role(decides_weights=False)]
    workers: PositiveInt  # processes of ray, each with a share of every batch
    device: Annotated[Literal["auto", "cpu", "cuda"], UNNAMED]  # auto: cuda where there is one
    threads: Annotated[PositiveInt, UNNAMED]  # of torch on the CPU; the last bits depend on it
    report_seconds: Annotated[float, Field(ge=0), TRANSIENT]  # between two saves of checkpoint and curves
    # Continue from the checkpoint that an interrupted run of these parameters left; force: even of another program;
    # auto: begin where there is none
    resume: Annotated[Resume, TRANSIENT]
    # Take the weights of a recorded run with the same fingerprint and program, if there is one, in place of training
    reuse: Annotated[bool, TRANSIENT]

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
    """The metrics on the test images."""

    confidence: Annotated[float, Field(gt=0, lt=1)]  # of the accuracy's interval
    batch_size: PositiveInt  # images in one forward pass; bounds the memory, does not change the result
    # The recorded run that is evaluated: `--pipelines evaluate --params of=RUN`; null: what lies in data/
    of: Annotated[str | None, TRANSIENT]


class PredictParameters(Section):
    """The images that the pipeline `predict` reads, and the model that classifies them."""

    # Of pictures, with all folders below it, or one file, also of IDX images
    folder: Annotated[str | None, PATH, TRANSIENT]
    # `champion` or another alias, NAME/VERSION, a run's id or name, `latest`, or the path of a checkpoint (*.pt)
    model: Annotated[str, FROM_NUMBER]


BY_KERNEL = ("portable", "bfloat16_kernel")  # precisions
# What they can train; the rest has bits of torch's own, which differ between processors
TRAINED_BY_KERNEL: dict[str, tuple[Any, ...]] = {
    "model.cell": ("lstm", "gru", "rnn"),
    "model.pooling": ("last",),
    "model.gates": ("plain",),
    "model.zoneout": (0.0,),
    "training.engine": ("local",),
    "training.device": ("cpu", "auto"),
}


def kernel_needs(model: ModelParameters, training: TrainingParameters) -> str:
    """What the kernel needs and these lack: "'model.pooling' to be last, not 'mean'"; empty if nothing."""
    given = flattened({"model": model.model_dump(), "training": training.model_dump()})
    wrong = ((key, allowed) for key, allowed in TRAINED_BY_KERNEL.items() if given[key] not in allowed)
    return next((f"{key!r} to be {' or '.join(map(str, allowed))}, not {given[key]!r}" for key, allowed in wrong), "")


class Parameters(Section):
    """All of parameters.yml."""

    data: DataParameters
    sequence: SequenceParameters
    model: ModelParameters
    training: TrainingParameters
    evaluation: EvaluationParameters
    predict: PredictParameters

    @model_validator(mode="after")
    def _by_kernel(self) -> Self:
        """Refuses what the kernel cannot train."""
        precision = self.training.precision
        if precision in BY_KERNEL and (lacking := kernel_needs(self.model, self.training)):
            raise ValueError(f"'training.precision' {precision} needs {lacking}")
        return self


ROLES = roles(Parameters)  # by key: "model.hidden_size"
SWEPT_BLOCKS = ("data.", "sequence.", "model.", "training.")  # these decide the results of a trial
INPUT_BLOCKS = ("data.", "sequence.")  # these decide what training reads


def checked(raw: dict[str, Any], files: tuple[str, ...] = (BASE,)) -> Parameters:
    """The validated parameters of a run.

    Args:
        files: that may hold a wrong value, for the message.

    Raises:
        UserError: one line that names every wrong key, what was found and what is allowed.
    """
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        found = mistakes(error, "parameter", Parameters)
        raise UserError(f"{found}. See {', '.join(files)} and src/mnist_lstm/parameters.py.") from None
