"""An update of the weights with the same bits on every processor: a kernel in C, and its functions for torch."""
