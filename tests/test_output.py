import errno
import io
import os
import sys
import warnings
from pathlib import Path

import pytest

from mnist_lstm import output
from mnist_lstm.errors import UserError


def test_output_to_a_full_disk_is_lost_and_the_command_ends_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        stream = output.lasting(full)
        for _ in range(2):
            print("x" * 10_000, file=stream, flush=True)
        assert stream.buffer.raw.failed.errno == errno.ENOSPC  # type: ignore[attr-defined]
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(UserError, match="stdout must be writable, found: No space left on device; the command did"):
            output.expect_written()
    with pytest.MonkeyPatch.context() as written, open(os.devnull, "w") as nothing:
        written.setattr(sys, "stdout", output.lasting(nothing))
        output.expect_written()


def test_a_closed_pipe_ends_the_command() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        stream = output.lasting(pipe)
        with pytest.raises(BrokenPipeError):
            print("x", file=stream, flush=True)
        stream.buffer.raw.failed = OSError()  # type: ignore[attr-defined]  # so that closing it is quiet
        stream.flush()


def test_only_the_standard_streams_themselves_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    captured = io.StringIO()
    monkeypatch.setattr(sys, "stdout", captured)
    monkeypatch.setattr(sys, "stderr", None)
    output.make_lasting()
    assert sys.stdout is captured
    assert sys.stderr.name == os.devnull  # it was closed
    sys.stderr.close()


@pytest.mark.parametrize("how", [{"line_buffering": True}, {"write_through": True}])
def test_a_line_is_written_when_it_ends_also_where_output_is_unbuffered(
    how: dict[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(tmp_path / "log", "wb") as file:
        standard = io.TextIOWrapper(file, **how)  # type: ignore[arg-type]
        for name in ("stdout", "__stdout__"):
            monkeypatch.setattr(sys, name, standard)
        output.make_lasting()
        assert sys.stdout is not standard
        sys.stdout.write("a\n")
        assert (tmp_path / "log").read_text() == "a\n"


def test_where_warnings_are_errors_those_of_libraries_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("error")
        monkeypatch.setattr(sys, "warnoptions", ["error"])
        output.print_warnings_of_libraries()
        warnings.warn_explicit("old", DeprecationWarning, "kedro.py", 1, module="kedro.io")
        assert len(found) == 1
        with pytest.raises(UserWarning, match="ours"):
            warnings.warn_explicit("ours", UserWarning, "cli.py", 1, module="mnist_lstm.cli")
