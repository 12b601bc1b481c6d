"""Cookiecutter renders this file and runs it in the new project."""

import json
import sys
from pathlib import Path

# Relative to the folder of `kedro new`, as with --starter=.., or absolute
TEMPLATE = str(Path.cwd().parent / r"""{{ cookiecutter._repo_dir }}""")
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

sys.path.insert(0, TEMPLATE)
sys.dont_write_bytecode = True
from new_project import fill  # noqa: E402

fill(TEMPLATE, json.loads(ANSWERS))
