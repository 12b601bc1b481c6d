"""The report of one run: an HTML page, and a model card in Markdown."""
