"""The compiled kernel that this processor runs."""

import ctypes
import hashlib
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mnist_lstm.errors import UserError

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "kernel.c"
VARIANTS = {"AVX512": "avx512", "AVX2": "avx2"}  # by what torch calls the instructions; otherwise "plain"
TYPES = {"i": ctypes.c_int64, "d": ctypes.c_double, "p": ctypes.c_void_p}
# The result and the arguments of each function, by the keys of TYPES
SIGNATURES = {
    "source": (ctypes.c_char_p, ""),
    "layer_shapes": (None, "ppppp"),
    "layer_forward": (ctypes.c_int, "ppppppppp"),
    "layer_backward": (ctypes.c_int, "ppppppppppppp"),
    "product": (None, "iiipiippp"),
    "cross_entropy": (ctypes.c_double, "iippdp"),
    "sum_of_squares": (ctypes.c_double, "ipd"),
    "adam": (None, "ippppddii"),
    "sgd": (None, "ipppddd"),
    "move_average": (None, "ippd"),
    "resample": (None, "iiipppp"),
}
BUILD = "build it with `pip install -e .`, which needs a C compiler with OpenMP such as gcc"


def library(bfloat16: bool = False) -> ctypes.CDLL:
    """The kernel for the instructions that torch uses, which ATEN_CPU_CAPABILITY may hold below the processor's.

    Args:
        bfloat16: that which multiplies in bfloat16, whatever torch uses.

    Raises:
        UserError: if it was not built, or from another source.
    """
    return loaded("bfloat16" if bfloat16 else VARIANTS.get(torch.backends.cpu.get_cpu_capability(), "plain"))


def has_bfloat16() -> bool:
    """Whether the processor has the instructions of the kernel in bfloat16."""
    # The public function, torch.cpu.get_capabilities, is newer than torch 2.10
    return torch.cpu._is_avx512_bf16_supported()


@cache
def loaded(variant: str) -> ctypes.CDLL:
    """The build of the kernel with this name.

    Raises:
        UserError: if it is missing or cannot be loaded, or was built from another source.
    """
    wants = "training.precision 'portable' or 'bfloat16_kernel' needs the compiled kernel"
    files = [*FOLDER.glob(f"_{variant}.*so")]
    if not files:
        raise UserError(f"{wants}, found none in {FOLDER}; {BUILD}.")
    try:
        kernel = ctypes.CDLL(str(files[0]))  # after torch, whose OpenMP it then shares
    except OSError as error:
        raise UserError(f"{wants}, which could not be loaded: {error}; {BUILD}.") from None
    source = getattr(kernel, "source", None)
    if source:
        source.restype = ctypes.c_char_p
    if not source or source().decode() != hashlib.sha256(SOURCE.read_bytes()).hexdigest():
        raise UserError(f"{wants} of this version, {files[0].name} is of another; {BUILD}.")
    for name, (result, arguments) in SIGNATURES.items():  # only now, as another version may lack a function
        function = getattr(kernel, name)
        function.restype, function.argtypes = result, [TYPES[each] for each in arguments]
    return kernel


def address(tensor: Tensor, *shape: int, dtype: torch.dtype = torch.float32) -> int:
    """The address of a contiguous tensor on the CPU.

    Raises:
        ValueError: if its shape, type, device or layout is another.
    """
    if tensor.shape != shape or tensor.dtype != dtype or tensor.device.type != "cpu" or not tensor.is_contiguous():
        raise ValueError(
            f"the kernel needs a contiguous {dtype} {shape} on the CPU, found {tensor.dtype} {tuple(tensor.shape)} on "
            f"{tensor.device}, strides {tensor.stride()}"
        )
    return tensor.data_ptr()
