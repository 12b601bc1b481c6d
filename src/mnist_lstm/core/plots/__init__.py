"""The figures: plotly where one hovers, matplotlib where one prints, each imported by the first figure it draws."""

from mnist_lstm.core.plots.by_step import accuracy_by_step_figure, accuracy_by_step_interactive, beliefs_figure
from mnist_lstm.core.plots.calibration import calibration_figure
from mnist_lstm.core.plots.confusion import confusion_figure
from mnist_lstm.core.plots.contact_sheet import contact_sheet
from mnist_lstm.core.plots.gates import states_figure
from mnist_lstm.core.plots.images import classes_figure, image_grid, mistakes_figure
from mnist_lstm.core.plots.learning_curves import learning_curves_figure, learning_curves_interactive
from mnist_lstm.core.plots.style import drawable

__all__ = [
    "accuracy_by_step_figure",
    "accuracy_by_step_interactive",
    "beliefs_figure",
    "calibration_figure",
    "classes_figure",
    "confusion_figure",
    "contact_sheet",
    "drawable",
    "image_grid",
    "learning_curves_figure",
    "learning_curves_interactive",
    "mistakes_figure",
    "states_figure",
]
