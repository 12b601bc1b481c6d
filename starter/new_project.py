"""Fills a project that `kedro new --starter` begins with the files of this one, under its own name.

hooks/post_gen_project.py calls it, so what it makes differs from this project only as this file says. It needs git.
"""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ALLOWED = {  # the answers, which `kedro new --config` does not check
    "project_name": r"[A-Za-z][A-Za-z0-9_ -]{1,24}",
    "python_package": r"[a-z][a-z0-9_]{1,24}",
    "repo_name": r"[a-z][a-z0-9-]{1,24}",
    "cell": "lstm|gru|rnn",
    "view": "rows|columns|patches|pixels",
    "ray": "yes|no",
    "digits": "yes|no",
}
# Files that speak of this project alone, its results and its history, and the tests that need them
LEFT = r"""
    README\.md|CHANGELOG\.md|CITATION\.cff|CONTRIBUTING\.md|\.ci/.*|starter/.*|benchmarks/.*|findings/.*
    |docs/(?!(your-own-data|extending|cluster)\.md).*
    |tests/(golden/.*|test_(starter|root|docs|docs_commands|benchmarks|lstm_from_scratch|presets)\.py)
    |tests/support/(pages|picture_kinds)\.py|tests/core/inference/test_picture_kinds\.py
    |tests/tracking/(test_version_0_1_0\.py|spool/unsent_0_1_0/.*)|tests/bad_input/test_mutants\.py|tests/core/training/test_tutorial_path\.py
"""
LEFT_WITHOUT = {
    "ray": r"|src/\w+/(cluster/.*|sweep/ray_pool\.py)|conf/ray/.*|docs/cluster\.md|tests/(cluster|sweep/test_ray_).*",
    "digits": r"|conf/(fast|accurate|pixels|permuted|rnn_vs_lstm|fair)/.*",
}
# What changes by more than its name: file, pattern that is there, and the text in its place
EDITS = [
    ("pyproject.toml", r'^version = ".*"', 'version = "0.1.0"'),
    ("pyproject.toml", r'^description = ".*"', 'description = "{project_name}: a recurrent network reads images"'),
    ("pyproject.toml", r'^project_name = ".*"', 'project_name = "{project_name}"'),
    ("pyproject.toml", r'^(authors|keywords) = .*\n|^"(docs|benchmarks|starter)/.*\n', ""),
    ("pyproject.toml", r', "(benchmarks|starter)(\.\*)?"', ""),
    ("src/mnist_lstm/__init__.py", r'\A""".*"""', '"""{project_name}: a recurrent network reads images."""'),
    ("src/mnist_lstm/__init__.py", r'^__version__ = ".*"', '__version__ = "0.1.0"'),
    ("Makefile", r"^(benchmark|(test-)?starter): (.*\n)+?\n| test-starter(?= )| starter benchmark(?= )", ""),
    (".github/workflows/ci.yml", r"^# The two commands of CONTRIBUTING.md: ", "# "),
    (".github/workflows/ci.yml", r"^      - run: make test-starter\n.*\n", ""),
    ("conf/base/parameters.yml", r"\A(#.*\n)+?(?=# The meaning)", "# {project_name}: `kedro run`.\n"),
    ("conf/base/parameters.yml", r"(iterations: 799|view: rows) .*", r"\1"),
    ("conf/base/parameters.yml", r"(?<=view: )rows", "{view}"),
    ("conf/base/parameters.yml", r"(?<=cell: )lstm", "{cell}"),
]
EDITS_WITHOUT = {
    "ray": [
        ("pyproject.toml", r'^ray = .*\n|"ray\.\*", ', ""),
        ("conf/base/parameters.yml", r"(engine: local|workers: 1) .*", r"\1"),
        ("src/mnist_lstm/parameters.py", r'    # ray: .*\n|(?<="local"), "ray"', ""),
        ("src/mnist_lstm/cli.py", r'^@click.option\("--address".*\n|(?<="local"), "ray"', ""),
        ("src/mnist_lstm/pipelines/train/nodes.py", r"^from mnist_lstm.cluster .*\n", ""),
        (
            "src/mnist_lstm/pipelines/train/nodes.py",
            r", or on workers(.*\n)+?    return on_cluster.fit\n",
            '."""\n    return fit\n',
        ),
        (
            "src/mnist_lstm/sweep/options.py",
            r"^from mnist_lstm.cluster .*\n|^ +address: .*\n|, or the Ray cl[^.]*| or .ray.",
            "",
        ),
        ("src/mnist_lstm/sweep/options.py", r"        self\._check_engine\(\)\n\n    def _check_engine(.*\n)+\Z", ""),
        ("src/mnist_lstm/sweep/stages.py", r'    if options.engine == "local":\n    (.*)\n(.*\n)+?(?=\n\n)', r"\1\n"),
        ("tests/pipelines/test_nodes.py", r"^def test_training_on_ray_(.*\n)+?(\n\n|\Z)", ""),
        ("tests/test_parameters.py", r' \("training.engine", "ray"\),', ""),
        ("tests/test_parameters.py", r'^        \(\n            \{"training.engine": "ray"(.*\n)+?        \),\n', ""),
        ("tests/sweep/test_mistakes.py", r'\n\n^def test_ray_must_(.*\n)+\Z|^    "--seeds 2 --address auto".*\n', ""),
    ],
    "digits": [
        ("conf/base/catalog.yml", r"^    fashion_mnist:\n(    .*\n)+  archives:.*\n(    .*\n)+", "  archives: {}\n"),
        ("tests/bad_input/commands.py", r'^    "--env (tuturial|fats)": .*\n', ""),
        ("tests/bad_input/commands.py", "fashion_mnist, k49, kmnist, mnist or qmnist", "digits or mnist"),
        ("tests/datasets/test_image_sources.py", r"^@pytest.fixture\ndef catalog_entry(.*\n)+\Z", ""),
        ("docs/your-own-data.md", "`fashion_mnist`, .*`emnist_digits`, ", ""),
        ("conf/base/parameters.yml", r"(?<=name: )mnist .*", "digits                     # or a source in catalog.yml"),
    ],
}


def fill(template: str, given: dict[str, object]) -> None:
    """Writes the files of the repository that holds `template` into the current folder, as the answers say."""
    yaml_words = {"True": "yes", "False": "no"}
    answers = {key: yaml_words.get(str(given[key]), str(given[key])) for key in ALLOWED}
    for key, pattern in ALLOWED.items():
        if not re.fullmatch(pattern, answers[key]):
            sys.exit(f"Error: {key} must match {pattern}, found {answers[key]!r}.")
    package = answers["python_package"]
    if package in ("benchmarks", "tests") or find_spec(package):
        sys.exit(f"Error: python_package must not be the name of another package, found {package!r}.")
    source, without = Path(template).resolve().parent, [key for key in LEFT_WITHOUT if answers[key] == "no"]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, text=True, check=True).stdout
    left = re.compile("".join([LEFT, *(LEFT_WITHOUT[key] for key in without)]), re.VERBOSE)
    edits = EDITS + [edit for key in without for edit in EDITS_WITHOUT[key]]
    for path in listed.split("\0"):
        if not left.fullmatch(path) and (source / path).is_file():
            place, content = Path(renamed(path, answers)), (source / path).read_bytes()
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if b"\0" in content else adapted(path, content.decode(), answers, edits).encode())
            place.chmod((source / path).stat().st_mode)
    format_code()


def adapted(path: str, text: str, answers: dict[str, str], edits: list[tuple[str, str, str]]) -> str:
    """The content of a file as the answers want it."""
    for edited, pattern, replacement in edits:
        if edited == path:
            for key in ("project_name", "view", "cell"):
                replacement = replacement.replace(f"{{{key}}}", answers[key])
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            if not count:
                sys.exit(f"Error: starter/new_project.py must find {pattern!r} in {path}; mend it there.")
    if re.fullmatch("conf/(?!base).*/parameters.yml", path):  # a preset opens with its results
        text = re.sub(r"\A(#.*\n)+(?=\n)", f"# `kedro run --env {Path(path).parent.name}`\n", text)
    if path.endswith(".md"):  # links to pages that stay behind
        text = re.sub(r"\[([^]]+)\]\((?!https?:|#|your-own-data|extending|cluster)[^)]+\)", r"\1", text)
    return renamed(text, answers)


def renamed(text: str, answers: dict[str, str]) -> str:
    """A text with the names of the new project."""
    package, repository = answers["python_package"], answers["repo_name"]
    text = re.sub(r"(digits|\{data\})-lstm", rf"\1-{repository}", text.replace("mnist-lstm", repository))
    return text.replace("mnist_lstm", package).replace("MNIST_LSTM", package.upper())


def format_code() -> None:
    """Wraps and sorts the lines that the new name changed, with ruff where it is installed."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if not ruff:
        print("Run `make format` once: ruff, which wraps and sorts what the new name changed, is not installed here.")
        return
    for words in ("check --silent --fix --exit-zero .", "format --quiet ."):
        subprocess.run([ruff, *words.split()], check=True)
