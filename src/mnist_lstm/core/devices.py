"""The processor or graphics card that trains, and its random numbers."""

import torch
from torch import Tensor

from mnist_lstm.errors import UserError


def chosen_device(asked: str) -> torch.device:
    """The device for `training.device`: "cpu", "cuda", or "auto", which is cuda where there is one.

    Raises:
        UserError: if cuda is asked for and there is none.
    """
    found = torch.cuda.is_available()
    if asked == "cuda" and not found:
        raise UserError("training.device 'cuda' needs a CUDA device that torch can use, found none; set auto or cpu.")
    return torch.device("cuda" if found and asked != "cpu" else "cpu")


def random_state(device: torch.device) -> Tensor:
    """The state of the generator that dropout draws from on `device`, as a tensor on the CPU."""
    return torch.get_rng_state() if device.type == "cpu" else torch.cuda.get_rng_state(device)


def set_random_state(device: torch.device, state: Tensor) -> None:
    """Sets the state that `random_state` gave."""
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.cuda.set_rng_state(state, device)
