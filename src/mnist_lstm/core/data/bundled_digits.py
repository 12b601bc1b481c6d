"""The 1,797 handwritten digits that come with scikit-learn: data that needs no download."""

import numpy as np

from mnist_lstm.core.data.splits import ImageSplit, Splits, data_card, stratified

NAME = "digits"  # the value of `data.name`
BRIGHTEST = 16  # scikit-learn's pixels range from 0 to 16
FRACTIONS = (0.1, 0.2)  # of the images, for validation and test
SPLIT_SEED = 0  # the split is part of the data set, not of a run


def bundled_digits() -> Splits:
    """8 x 8 digits in a fixed stratified split of 1,257 training, 180 validation and 360 test images.

    Source: scikit-learn's `load_digits`, the test part of doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * 255 / BRIGHTEST).astype(np.uint8)
    every_digit = ImageSplit(images, digits.target.astype(np.uint8))
    train, valid, test = stratified(every_digit, FRACTIONS, SPLIT_SEED, "the bundled digits")
    parts = {"train": train, "valid": valid, "test": test}
    title = "bundled 8x8 digits (not MNIST)"
    return Splits(**parts, card=data_card(NAME, title, parts, [str(digit) for digit in range(10)], files={}))
