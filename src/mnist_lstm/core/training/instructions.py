"""The instructions that oneDNN uses, which its environment variables may hold below those of the processor."""

import ctypes
import sys
import tempfile
from functools import cache
from typing import Any

import torch

VERBOSE_ISA = "info,cpu,isa:"
STDOUT = 1  # file descriptor


@cache  # oneDNN prints its header once in a process
def onednn_instructions() -> str:
    """What oneDNN calls the instructions that it uses, such as "Intel AVX2"; empty where it does not say.

    `torch.backends.cpu.get_cpu_capability` covers ATen's own kernels only, and oneDNN in torch exports no function that
    answers, so this reads the header of its verbose mode.

    Source: https://uxlfoundation.github.io/oneDNN/dev_guide_verbose.html.
    """
    onednn: Any = torch.backends.mkldnn  # its functions are not typed
    if sys.platform != "linux" or not onednn.is_available():
        return ""
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryFile() as header:
        libc.fflush(None)
        if (stdout := libc.dup(STDOUT)) < 0:  # this process has none
            return ""
        libc.dup2(header.fileno(), STDOUT)
        try:
            with onednn.verbose(onednn.VERBOSE_ON):
                torch.zeros(2, 2).to_mkldnn()
        finally:
            libc.fflush(None)
            libc.dup2(stdout, STDOUT)
            libc.close(stdout)
        header.seek(0)
        lines = header.read().decode(errors="replace").splitlines()
    return next((line.partition(VERBOSE_ISA)[2] for line in lines if VERBOSE_ISA in line), "")


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a graphics card has bfloat16 products, or the processor has them and oneDNN uses them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # The public function, torch.cpu.get_capabilities, is newer than torch 2.10
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return False
    used = onednn_instructions()
    return not used or "AVX10" in used or ("AVX-512" in used and "bfloat16" in used)
