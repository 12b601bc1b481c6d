"""Ray, which is optional: joining a cluster, and one training by several of its workers. Sweeps use it, too."""

from importlib.util import find_spec

from mnist_lstm.errors import UserError


def expect_ray(asked: str) -> None:
    """Checks that Ray is installed, which `asked` needs."""
    if not find_spec("ray"):
        raise UserError(f"{asked} needs Ray, found none; pip install -c requirements.lock -e '.[ray]'.")
