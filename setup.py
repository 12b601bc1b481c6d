"""Builds the kernel if there is a C compiler: once for each set of instructions; training chooses one of them."""

import hashlib
import platform
from pathlib import Path

from setuptools import Extension, setup

SOURCE = "src/mnist_lstm/core/kernel/kernel.c"
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi", "-fopenmp"]
VARIANTS: dict[str, list[str]] = {"plain": []}  # on aarch64 with NEON, which is part of every such processor
if platform.machine() in ("x86_64", "AMD64"):
    VARIANTS |= {"avx2": ["-mavx2", "-mfma"], "avx512": ["-mavx512f"]}
    VARIANTS["bfloat16"] = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512bf16", "-DBFLOAT16"]

digest = hashlib.sha256((Path(__file__).parent / SOURCE).read_bytes()).hexdigest()
setup(
    ext_modules=[
        Extension(
            f"mnist_lstm.core.kernel._{name}",
            [SOURCE],
            define_macros=[("SOURCE", f'"{digest}"')],
            extra_compile_args=[*FLAGS, *flags],
            extra_link_args=["-fopenmp"],
            libraries=["m"],
            optional=True,  # an installation without a compiler has all but the precisions portable and bfloat16_kernel
        )
        for name, flags in VARIANTS.items()
    ]
)
