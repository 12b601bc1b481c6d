"""Cookiecutter renders this file in the folder for temporary files and runs it in the new project."""

import sys
from pathlib import Path

# Relative to the folder of `kedro new`, as with --starter=.., or absolute
TEMPLATE = str(Path.cwd().parent / r"""{{ cookiecutter._repo_dir }}""")
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

# What lies in the folder for temporary files is no module, nor is it a package whose name is taken
sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
sys.path.insert(0, TEMPLATE)
sys.dont_write_bytecode = True
import json  # noqa: E402

from new_project import fill  # noqa: E402

sys.path.remove(TEMPLATE)
fill(TEMPLATE, json.loads(ANSWERS))
