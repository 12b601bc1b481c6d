"""The pipeline with its previews as static pages, by Kedro-Viz, without a trace of the machine that built them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mnist_lstm.errors import UserError

# Kedro-Viz asks PyPI whether a newer version is out; where this proxy is, nobody listens
ANSWERS = ("api/**/*", "*.html")  # the files with what it found here; the others are its program
FONTS = re.compile(r"<link[^>]*fonts\.(googleapis|gstatic)\.com[^>]*>")  # the pages ask nobody, and look well without
NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "KEDRO_DISABLE_TELEMETRY": "1"}


def build(project: Path) -> Path:
    """Builds the pages in the project's folder `build`, in place of those before.

    Returns:
        The folder. Browsers show it from any web server, not from a file.

    Raises:
        UserError: if Kedro-Viz cannot build them, with the end of what it says.
    """
    command = [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"]
    done = subprocess.run(command, cwd=project, env=os.environ | NOWHERE, capture_output=True, text=True)
    pages = project / "build"
    if done.returncode or not (pages / "index.html").is_file():
        said = " ".join((done.stderr or done.stdout).split())
        raise UserError(f"Kedro-Viz must build the pages, found exit code {done.returncode}: {said[-300:]}")
    _answer_metadata(pages)
    for answer in (path for pattern in ANSWERS for path in pages.glob(pattern) if path.is_file()):
        answer.write_text(_without_machine(answer.read_text(encoding="utf-8"), project), encoding="utf-8")
    return pages


def _answer_metadata(pages: Path) -> None:
    """The one question of the pages that Kedro-Viz leaves without an answer: which packages it found."""
    from kedro_viz.api.rest.responses.metadata import MetadataAPIResponse, get_metadata_response

    answer = MetadataAPIResponse.model_validate(get_metadata_response(), from_attributes=True)
    (pages / "api" / "metadata").write_text(answer.model_dump_json(), encoding="utf-8")


def _without_machine(text: str, project: Path) -> str:
    """Paths below the project's root as one reads them from there, and no font from elsewhere."""
    return FONTS.sub("", text.replace(f"{project}{os.sep}", "").replace(str(project), "."))
