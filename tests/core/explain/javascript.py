"""Runs functions of the page's scripts in node or in a browser."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mnist_lstm.core.explain.page import script

NEEDED = ("network", "prepare", "doubt", "typical")  # they need no page


def in_node(expression: str, folder: Path, **given: Any) -> Any:
    """The value of an expression over what the modules define and `given`, by node.js."""
    if not (node := shutil.which("node")):
        pytest.skip("no node on this machine")
    file, data = folder / "run.js", folder / "given.json"
    data.write_text(json.dumps(given))
    file.write_text(
        f"{script(NEEDED)}\nconst given = JSON.parse(require('fs').readFileSync({json.dumps(str(data))}, 'utf8'));\n"
        f"process.stdout.write(JSON.stringify(({expression})(given)));"
    )
    done = subprocess.run([node, str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
