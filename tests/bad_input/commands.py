"""Words on the command line that mean nothing, or nothing that there is."""

from tests.bad_input import DIGITS, Mistake, each, write
from tests.bad_input.functions import images, options

PARAMETERS = {
    "trian.seed=1": ("'trian'", "did you mean 'training"),
    "sequnce=1": ("'sequnce'", "did you mean 'sequence"),
    "learning_rate=0.1": ("'learning_rate'", "did you mean 'training.learning_rate'"),
    "model.hidden=1": ("'model.hidden'", "did you mean 'model.hidden_size'"),
    "tracking.experiment.nam=x": ("'tracking.experiment.nam'", "did you mean"),
    "training.seed=-1,model.hiden_size=3": ("'training.seed'", "'model.hiden_size'"),
    "training.learning_rate=nan": ("'training.learning_rate'", "nan"),
    "training.batch_size=1.5": ("'training.batch_size'", "1.5"),
    "training=3": ("'training'", "not 3"),
    "tracking=3": ("'tracking'", "3"),
    "data.name=digit": ("'data.name'", "'digit'", "did you mean 'digits'"),
    "data.name=cifar": ("'data.name'", "'cifar'", "fashion_mnist, k49, kmnist, mnist or qmnist"),
    "training.augmentation.rotation=[]": ("'training.augmentation.rotation'",),
}

OPTIONS = {
    "--pipelines trian": ("'trian'", "did you mean 'train'"),
    "--pipelines ingest,reshap": ("'reshap'", "did you mean 'reshape'"),
    "--pipeline trian": ("'trian'", "did you mean 'train'"),
    "--env tuturial": ("--env must be a folder of conf/, accurate, fair, fair_patches, fast", "'tuturial'"),
    "--env fats": ("'fats' (did you mean 'fast'?)",),
    "--env ../base": ("../base",),
    "--nodes trian": ("--nodes", "'trian' (did you mean 'train'?)"),
    "--from-nodes trian": ("--from-nodes must be classify_after_each_step, ", "'trian' (did you mean 'train'?)"),
    "--to-nodes reshap": ("--to-nodes", "'reshap' (did you mean 'reshape'?)"),
    "--from-nodes predict_pictures": ("'predict_pictures' (a node of --pipelines predict)",),
    "--pipelines evaluate --from-nodes export": ("'export'", "(a node of --pipelines train or without_figures)"),
    "--nodes look_inside": ("'look_inside', which is called 'compute_gates' now",),
    "--from-inputs interrupted": ("'interrupted', which is called 'earlier_checkpoints' now",),
    "--nodes train.trian": ("'train.trian' (did you mean 'train.train'?)",),
    "--tags figure": ("--tags must be figures, not 'figure' (did you mean 'figures'?)",),
    "--pipelines ingest --tags figures": ("--tags must be left out, not 'figures'",),
    "--from-inputs checkpont": ("--from-inputs", "'checkpont' (did you mean 'checkpoint'?)"),
    "--to-outputs metric": ("--to-outputs", "'metric' (did you mean 'metrics'?)"),
}

# Refused by click, by Kedro or by what `predict` reads
UNCHECKED = {
    "--params training.seed": ("training.seed",),
    "--params a=1 --env fast --params b=2": ("--params must be given once, found 2 times",),
    "--runner FastRunner": ("FastRunner",),
    "--runner ThreadRunner": ("--runner must be SequentialRunner, not 'ThreadRunner'", "leave it out"),
    "--async": ("--async must be left out",),
    "--runner-params is_async=True": ("--async must be left out",),
    "--conf-source nowhere": ("nowhere",),
    "--wrong": ("--wrong",),
    "--pipelines predict": ("'predict.folder'", "--params predict.folder=PATH"),
    "--pipelines predict --params predict.folder=nowhere": ("'predict.folder'", "'nowhere'"),
    "--pipelines predict --params predict.folder=data/01_raw": ("must hold pictures, found no file",),
    "--pipelines predict --params predict.folder=conf/nothing": ("'predict.folder'", "'conf/nothing'"),
    "--pipelines predict --params predict.folder=conf": ("no champion", "kedro run"),
    "--pipelines predict --params predict.folder=conf,predict.model=mine": ("'mine'",),
    "--pipelines predict --params predict.folder=conf,predict.model=mine.pt": ("'mine.pt'",),
    "--pipelines predict --params predict.folder=conf,predict.model=notes.pt": (
        "notes.pt",
        "must be a complete checkpoint",
    ),
}

NO_RUN = "0123456789abcdef0123456789abcdef"
COMMANDS = {
    "compare": ("kedro compare",),
    f"compare {NO_RUN} {NO_RUN}": (NO_RUN,),
    "compare --last 1": ("--last", "2<=x<=1000"),
    "reproduce yesterday": ("'yesterday'",),
    f"reproduce {NO_RUN}": (NO_RUN,),
    "draw": ("no champion", "kedro run"),
    "draw nothing": ("'nothing'",),
    "explain": ("no champion", "kedro run"),
    "explain nothing": ("'nothing'",),
    "serve": ("no champion", "kedro run"),
    "explain a b c": ("at most two runs",),
}

# What stages before the fault made may stand
LATER = {
    "data.name=digits,sequence.view=patches,sequence.patch_size=9": ("sequence.patch_size", "9", "at most 8"),
    "data.name=digits,training.resume=true": ("training.resume", "found none"),
    "data.name=digits,training.learning_rate=1e38": ("must stay finite", "training.learning_rate"),
}
OTHER_SEED = f"{DIGITS},training.resume=true,training.seed=2"
NOTES = write("notes.pt", "no checkpoint at all")

LINES = (
    each(
        {
            f"kedro run --params {words}": Mistake(names, ("run", "--params", words))
            for words, names in PARAMETERS.items()
        },
        images,
    )
    | each({f"kedro run {words}": Mistake(names, ("run", *words.split())) for words, names in OPTIONS.items()}, options)
    | {f"kedro run {words}": Mistake(names, ("run", *words.split()), NOTES) for words, names in UNCHECKED.items()}
    | {f"kedro {words}": Mistake(names, tuple(words.split()), NOTES) for words, names in COMMANDS.items()}
    | {words: Mistake(names, ("run", "--params", words), later=True) for words, names in LATER.items()}
    | {
        "resumed with another seed": Mistake(
            ("training.seed is 2, was 1",), ("run", "--params", OTHER_SEED), after_a_run=True, later=True
        )
    }
)
