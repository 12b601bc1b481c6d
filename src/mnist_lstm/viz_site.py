"""Static pages of the pipeline and its previews, built by Kedro-Viz, without paths of this machine."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from mnist_lstm.errors import UserError, expect_free_port
from mnist_lstm.temporary_folder import temporary_folder

BUILD = [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"]
RUN_STATUS = "api/run-status"  # of the last run
COMPLETE = ("index.html", RUN_STATUS, "api/deploy-viz-metadata")  # it exits with 0 though it failed before the last
DATA_FILES = ("api/**/*", "*.html")  # files with content of this project; the rest is Kedro-Viz itself
FONTS = re.compile(r"<link[^>]*fonts\.(googleapis|gstatic)\.com[^>]*>")  # the pages work without the network
FIRST_VIEW = "?types=nodes"  # a box for each stage; the filter "Datasets" adds the data
# The state in which a browser opens the graph for the first time: light as the previews, without the tour of features
STATE = json.dumps({"orientation": "horizontal", "theme": "light", "showFeatureHints": False})
START = f"<script>localStorage.KedroViz ||= '{STATE}'</script>"
# Kedro-Viz asks PyPI for a newer version; nothing listens at this proxy
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "KEDRO_DISABLE_TELEMETRY": "1"}


def build(project: Path) -> Path:
    """Builds the pages in the project's folder `build`, which they replace once they are complete.

    Returns:
        The folder, which browsers show through a web server only.

    Raises:
        UserError: if something else lies there, or Kedro-Viz fails, with the end of its output; the earlier pages stay.
    """
    pages = project / "build"
    if pages.exists() and not all((pages / name).is_file() for name in COMPLETE):
        raise UserError(f"{pages} must be absent or hold earlier pages, found something else; move it.")
    with temporary_folder(project) as folder:
        made, old = folder / "build", folder / "old"  # Kedro-Viz writes into ./build
        _run_kedro_viz(project, folder)
        _write_metadata(made)
        status = made / RUN_STATUS
        found = json.loads(status.read_text(encoding="utf-8"), object_hook=_without_error)
        status.write_text(json.dumps(found), encoding="utf-8")
        for file in (path for pattern in DATA_FILES for path in made.glob(pattern) if path.is_file()):
            text = file.read_text(encoding="utf-8").replace(f"{project}{os.sep}", "").replace(str(project), ".")
            file.write_text(FONTS.sub("", text), encoding="utf-8")
        index = made / "index.html"
        index.write_text(index.read_text(encoding="utf-8").replace("<head>", f"<head>{START}", 1), encoding="utf-8")
        if pages.exists():
            pages.rename(old)
        made.rename(pages)
    return pages


def _run_kedro_viz(project: Path, folder: Path) -> None:
    """Runs Kedro-Viz, which writes below the project's folder, and moves what it made into `folder`."""
    pages, kept = project / "build", folder / "kept"
    if pages.exists():
        pages.rename(kept)
    try:
        done = subprocess.run(BUILD, cwd=project, env=os.environ | NO_NETWORK, capture_output=True, text=True)
        if done.returncode or not all((pages / name).is_file() for name in COMPLETE):
            output = " ".join((done.stderr or done.stdout).split())
            raise UserError(f"Kedro-Viz must build the pages, found exit code {done.returncode}: {output[-300:]}")
        pages.rename(folder / "build")
    finally:
        if pages.exists():
            pages.rename(folder / "incomplete")
        if kept.exists():
            kept.rename(pages)


def serve(project: Path, port: int) -> None:
    """Serves the pages, built anew, on this machine alone until Ctrl-C.

    Kedro-Viz's own command waits up to 30 s for PyPI, and without a network announces a new version "None".
    """
    expect_free_port(port)
    handler = partial(Quiet, directory=build(project))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server, suppress(KeyboardInterrupt):
        click.echo(f"Graph: http://127.0.0.1:{port}/{FIRST_VIEW} (Ctrl-C ends it)")
        server.serve_forever()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line in the terminal for each."""

    def log_message(self, *_: Any) -> None:
        """Prints nothing."""


def _write_metadata(pages: Path) -> None:
    """Writes the package versions that the pages ask for and Kedro-Viz does not write."""
    from kedro_viz.api.rest.responses.metadata import MetadataAPIResponse, get_metadata_response

    response = MetadataAPIResponse.model_validate(get_metadata_response(), from_attributes=True)
    (pages / "api" / "metadata").write_text(response.model_dump_json(), encoding="utf-8")


def _without_error(status: dict[str, Any]) -> dict[str, Any]:
    """A part of the status of the last run without its error, which holds messages, tracebacks and paths."""
    return status | dict.fromkeys({"error"} & status.keys())
