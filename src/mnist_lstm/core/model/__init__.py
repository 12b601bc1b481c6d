"""The recurrent classifier, its initial weights, and the model that is exported."""
