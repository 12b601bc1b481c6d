"""The recurrent classifier, its initial weights, and the exported model."""
