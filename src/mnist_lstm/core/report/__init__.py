"""The report of one run: an HTML page, and a model card in Markdown."""

from mnist_lstm.core.report.facts import Run
from mnist_lstm.core.report.model_card import model_card
from mnist_lstm.core.report.page import page

__all__ = ["Run", "model_card", "page"]
