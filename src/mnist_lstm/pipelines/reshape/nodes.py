"""Reading an image step by step."""

from mnist_lstm.core.data.sequences import pixel_order, sequence_split
from mnist_lstm.core.data.splits import Arrays
from mnist_lstm.parameters import SequenceParameters


def reshape(
    train_images: Arrays, valid_images: Arrays, test_images: Arrays, sequence: SequenceParameters
) -> tuple[Arrays, ...]:
    """Turns images (N, height, width) into sequences (N, T, F): T time steps of F features.

    By rows, a 28 x 28 digit becomes 28 steps of 28 pixels, from the top to the bottom.
    """
    _, height, width = train_images["images"].shape
    order = pixel_order(sequence, height, width)
    return tuple(sequence_split(part, order) for part in (train_images, valid_images, test_images))
