"""`python -m mnist_lstm`: the packaged project's `kedro run`."""

from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main() -> None:
    """Runs the pipeline with the options of `kedro run`."""
    package = Path(__file__).parent.name
    configure_project(package)
    find_run_command(package)(prog_name=package)


if __name__ == "__main__":
    main()
