"""What the benchmarks call exists; what they measure is no test's matter."""

import functools
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a benchmark by its name."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch.utils.mkldnn raises it itself
@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_finds_what_it_imports(imported: Any, name: str) -> None:
    assert imported(name).__doc__


def test_the_breakdown_times_functions_that_exist(imported: Any) -> None:
    for place in [place for places in imported("breakdown").PARTS.values() for place in places]:
        module, _, path = place.partition(":")
        assert callable(functools.reduce(getattr, path.split("."), importlib.import_module(module)))


def test_what_the_page_costs_is_measured_without_functions_that_exist(imported: Any) -> None:
    script = imported("explain")
    done = subprocess.run([sys.executable, "-c", script.OWN + script.WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
