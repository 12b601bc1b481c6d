"""What a command prints to a full disk or a vanished terminal is lost, but not the command's work."""

import io
import os
import sys
import warnings
from pathlib import Path

from mnist_lstm.errors import UserError


class LastingOutput(io.FileIO):
    """A file descriptor whose first failed write ends the output and not the command.

    A closed pipe ends the command, as whoever reads no more wants no more.
    """

    failed: OSError | None = None  # the error of that write, None if there was none

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Writes bytes, or drops them after a failure."""
        try:
            return len(data) if self.failed else super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.failed = error
            return len(data)


def lasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """A stream to the same file descriptor, in the same encoding, that outlives failed writes.

    One that writes at once, as with PYTHONUNBUFFERED, becomes one that writes at the end of each line.
    """
    raw = LastingOutput(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),  # type: ignore[type-var]
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )


def make_lasting() -> None:
    """Makes standard output and standard error such streams, unless they are something else already.

    One that was closed before the command began becomes the null device.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  open until the end
        if isinstance(stream, io.TextIOWrapper) and stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, lasting(stream))


def print_warnings_of_libraries() -> None:
    """Prints the warnings of Kedro, MLflow and others also where PYTHONWARNINGS makes errors of warnings."""
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.filterwarnings("default", module=r"(?!mnist_lstm\b)")


def expect_written() -> None:
    """Checks that all output was written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        raw = getattr(getattr(stream, "buffer", None), "raw", None)
        if isinstance(raw, LastingOutput):
            stream.flush()
            if raw.failed:
                reason = os.strerror(raw.failed.errno or 0)
                raise UserError(f"{name} must be writable, found: {reason}; the command did its work without it.")
