"""The report of one run: an HTML page, and a model card in Markdown."""

from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.report.page import model_card, page

__all__ = ["Run", "model_card", "page"]
