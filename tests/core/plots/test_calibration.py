from typing import Any

import numpy as np

from mnist_lstm.core.evaluation.metrics import expected_calibration_error, reliability
from mnist_lstm.core.plots.calibration import calibration_figure
from tests.core.plots.drawings import RUN
from tests.support import tiny


def test_the_reliability_diagram_shows_each_filled_bin_and_says_error_and_bins() -> None:
    bins = reliability(tiny.predictions().logits, tiny.labels(20), 10)
    figure: Any = calibration_figure(bins, 0.95, RUN)
    filled = bins["images"] > 0
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, bins["correct"][filled] / bins["images"][filled])
    assert [bar.get_height() for bar in figure.axes[1].patches] == bins["images"].tolist()
    assert f"{expected_calibration_error(bins):.4f} in 10 bins" in figure.get_supxlabel()
