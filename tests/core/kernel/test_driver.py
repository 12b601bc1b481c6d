"""A program in C that trains by the kernel alone: the same bits on another processor, and no wrong access to memory."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mnist_lstm.core.kernel.library import SOURCE
from tests.core.conftest import needs_bfloat16_kernel

DRIVER = Path(__file__).with_name("driver.c")
FLAGS = ("-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", "-Wno-psabi")
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# N T F H K and updates, with the digests of an LSTM, a GRU and a plain cell that an x86-64 processor with AVX2 printed
DIGESTS = {
    "64 7 5 19 10 50": ("e957e8596b0ebe6b", "e80b14e6b36d4b9a", "dedda32550b8f821"),
    "37 3 28 33 3 20": ("28d15553e3c0c038", "3281109016eeec11", "e62331a2fcd2dcf4"),
    "1 1 1 1 2 20": ("6c670a5574d9f901", "af1532bdfe2ade75", "ad60d729cbf31f81"),
    "600 2 2 17 3 4": ("e74e7f3842de8691", "20406e7fd9f7a418", "983e58e22e7c605f"),
    "1 2 28 1 2 3": ("d7d26570f1a32d47", "634d540ec2d7c423", "50db933b63754ed4"),
    "37 3 65 16 5 3": ("d3e4834727bfaea7", "048e47d5a75d3990", "bc157ad7cd32528a"),
    "2 6 17 64 11 4": ("819897e82294808a", "cf06bcad10c1cef4", "8c0b760f78d1d3ba"),
    "5 1 16 65 1 4": ("a8fed21ba1f22ceb", "b6be23e822753d54", "0423016deeb092ab"),
}


def needed(*programs: str) -> None:
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"{' and '.join(missing)} not installed")


def built(folder: Path, compiler: str, *flags: str) -> str:
    program = folder / "driver"
    openmp = [] if "-fopenmp" in flags else ["-Wno-unknown-pragmas"]
    subprocess.run(
        [compiler, *FLAGS, *flags, *openmp, f"-I{SOURCE.parent}", str(DRIVER), "-o", str(program), "-lm"], check=True
    )
    return str(program)


def digests(*command: str) -> dict[str, tuple[str, ...]]:
    def digest(*words: str) -> str:
        return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout.strip()

    return {sizes: tuple(digest(*sizes.split(), cell) for cell in "012") for sizes in DIGESTS}


NATIVE = (*SANITIZED, "-march=native")  # the vectors of this processor


@pytest.mark.slow
@pytest.mark.parametrize("flags", [("-O3", "-fopenmp"), SANITIZED, NATIVE], ids=["plain", "sanitized", "native"])
def test_training_in_c_has_the_bits_of_another_processor_and_touches_no_wrong_memory(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    needed("gcc")
    assert digests(built(tmp_path, "gcc", *flags)) == DIGESTS


@pytest.mark.slow
@needs_bfloat16_kernel
def test_training_in_c_in_bfloat16_touches_no_wrong_memory_and_has_bits_of_its_own(tmp_path: Path) -> None:
    needed("gcc")
    sanitized, optimised = (
        digests(built(tmp_path, "gcc", *flags, "-march=native", "-DBFLOAT16"))
        for flags in (SANITIZED, ("-O3", "-fopenmp"))
    )
    assert sanitized == optimised != DIGESTS


@pytest.mark.slow
def test_training_in_c_has_the_same_bits_on_aarch64(tmp_path: Path) -> None:
    needed("aarch64-linux-gnu-gcc", "qemu-aarch64")
    program = built(tmp_path, "aarch64-linux-gnu-gcc", "-O3", "-static")
    assert digests("qemu-aarch64", program) == DIGESTS
