"""Static pages of the pipeline and its previews, built by Kedro-Viz, without paths of this machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mnist_lstm.errors import UserError

DATA_FILES = ("api/**/*", "*.html")  # files with content of this project; the rest is Kedro-Viz itself
FONTS = re.compile(r"<link[^>]*fonts\.(googleapis|gstatic)\.com[^>]*>")  # the pages work without the network
# Kedro-Viz asks PyPI for a newer version; nothing listens at this proxy
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "KEDRO_DISABLE_TELEMETRY": "1"}


def build(project: Path) -> Path:
    """Builds the pages in the project's folder `build`, replacing earlier ones.

    Returns:
        The folder, which browsers show through a web server only.

    Raises:
        UserError: if Kedro-Viz fails, with the end of its output.
    """
    command = [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"]
    done = subprocess.run(command, cwd=project, env=os.environ | NO_NETWORK, capture_output=True, text=True)
    pages = project / "build"
    if done.returncode or not (pages / "index.html").is_file():
        output = " ".join((done.stderr or done.stdout).split())
        raise UserError(f"Kedro-Viz must build the pages, found exit code {done.returncode}: {output[-300:]}")
    _write_metadata(pages)
    for file in (path for pattern in DATA_FILES for path in pages.glob(pattern) if path.is_file()):
        file.write_text(_without_machine(file.read_text(encoding="utf-8"), project), encoding="utf-8")
    return pages


def _write_metadata(pages: Path) -> None:
    """Writes the package versions that the pages ask for and Kedro-Viz does not write."""
    from kedro_viz.api.rest.responses.metadata import MetadataAPIResponse, get_metadata_response

    response = MetadataAPIResponse.model_validate(get_metadata_response(), from_attributes=True)
    (pages / "api" / "metadata").write_text(response.model_dump_json(), encoding="utf-8")


def _without_machine(text: str, project: Path) -> str:
    """The text with paths relative to the project's root, and without links to web fonts."""
    return FONTS.sub("", text.replace(f"{project}{os.sep}", "").replace(str(project), "."))
