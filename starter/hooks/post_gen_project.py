"""Cookiecutter renders this file in the folder for temporary files and runs it in the new project."""

import os
import sys

# What lies in the folder for temporary files is no module, nor is it a package whose name is taken
sys.path[:] = [folder for folder in sys.path if folder != os.path.dirname(os.path.abspath(__file__))]
import json  # noqa: E402
from pathlib import Path  # noqa: E402

# Relative to the folder of `kedro new`, as with --starter=.., or absolute
TEMPLATE = str(Path.cwd().parent / r"""{{ cookiecutter._repo_dir }}""")
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

sys.path.insert(0, TEMPLATE)
sys.dont_write_bytecode = True
from new_project import fill  # noqa: E402

sys.path.remove(TEMPLATE)
fill(TEMPLATE, json.loads(ANSWERS))
