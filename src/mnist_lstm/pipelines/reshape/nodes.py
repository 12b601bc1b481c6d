"""Turns images into sequences."""

from mnist_lstm.core.data.sequences import SequenceSplit, pixel_order_for, sequence_split
from mnist_lstm.core.data.splits import ImageSplit
from mnist_lstm.errors import UserError
from mnist_lstm.parameters import SequenceParameters


def reshape(
    train_images: ImageSplit, valid_images: ImageSplit, test_images: ImageSplit, sequence: SequenceParameters
) -> tuple[SequenceSplit, ...]:
    """Turns images (N, height, width) into sequences (N, T, F): T time steps of F features.

    With the view "rows", a 28 x 28 digit becomes 28 steps of 28 pixels, top to bottom. Series are sequences already.
    """
    _, height, width = train_images.images.shape
    if train_images.images.dtype.kind == "f" and sequence.view != "rows":
        raise UserError(
            f"parameter 'sequence.view' must be rows for series, which are steps already, not {sequence.view!r}."
        )
    pixel_order = pixel_order_for(sequence, height, width)
    return tuple(sequence_split(part, pixel_order) for part in (train_images, valid_images, test_images))
