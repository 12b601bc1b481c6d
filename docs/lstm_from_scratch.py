"""The tutorial's LSTM in numpy alone: the cell, back-propagation through time, and Adam.

It makes the updates of `kedro run` from the same initial weights and batches; a test compares the losses.
Shapes: N images, T rows, F pixels a row, H units, K classes. The gates i, f, g, o lie side by side in 4H columns.
"""

import numpy as np

FORGET_BIAS, RATE, DECAY_1, DECAY_2, TINY = 1.0, 0.001, 0.9, 0.999, 1e-8


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(weights, rows):
    """Logits (N, K) for rows (N, T, F) in [0, 1], and what the way back needs of each time step."""
    hidden = cell = np.zeros((len(rows), len(weights["recurrent"])), np.float32)
    steps = []
    for row in rows.swapaxes(0, 1):
        i, f, g, o = np.split(row @ weights["input"] + hidden @ weights["recurrent"] + weights["bias"], 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f + FORGET_BIAS), np.tanh(g), sigmoid(o)
        before, cell = (hidden, cell), f * cell + i * g  # keep part of the old state, add part of the news
        hidden = o * np.tanh(cell)
        steps.append((row, *before, i, f, g, o, cell))
    return hidden @ weights["readout"] + weights["readout_bias"], hidden, steps


def loss_and_gradients(weights, rows, labels):
    """Mean softmax cross-entropy in nats, and its gradient for each weight, by the chain rule from the last row up."""
    logits, hidden, steps = forward(weights, rows)
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    d_logits = (probabilities - np.eye(probabilities.shape[1], dtype=np.float32)[labels]) / len(labels)
    gradients = {name: np.zeros_like(weight) for name, weight in weights.items()}
    gradients |= {"readout": hidden.T @ d_logits, "readout_bias": d_logits.sum(axis=0)}
    d_hidden, d_cell = d_logits @ weights["readout"].T, np.zeros_like(hidden)
    for row, hidden, cell_before, i, f, g, o, cell in reversed(steps):
        tanh_cell = np.tanh(cell)
        d_cell = d_cell + d_hidden * o * (1 - tanh_cell**2)
        d_gates = (d_cell * g * i * (1 - i), d_cell * cell_before * f * (1 - f))
        d_gates += (d_cell * i * (1 - g**2), d_hidden * tanh_cell * o * (1 - o))
        d_sums = np.concatenate(d_gates, axis=1)  # (N, 4H)
        gradients["input"] += row.T @ d_sums
        gradients["recurrent"] += hidden.T @ d_sums
        gradients["bias"] += d_sums.sum(axis=0)
        d_hidden, d_cell = d_sums @ weights["recurrent"].T, d_cell * f  # to the row before
    return loss, gradients


def train(weights, batches):
    """Adam (Kingma and Ba 2015) on each batch (rows, labels) in turn; yields the loss before each update."""
    mean, square = ({name: np.zeros_like(weight) for name, weight in weights.items()} for _ in range(2))
    for update, (rows, labels) in enumerate(batches, 1):
        loss, gradients = loss_and_gradients(weights, rows, labels)
        for name, gradient in gradients.items():
            mean[name] = DECAY_1 * mean[name] + (1 - DECAY_1) * gradient
            square[name] = DECAY_2 * square[name] + (1 - DECAY_2) * gradient**2
            size = np.sqrt(square[name] / (1 - DECAY_2**update)) + TINY
            weights[name] = weights[name] - RATE * (mean[name] / (1 - DECAY_1**update)) / size
        yield loss


def same_start(parameters, images, shape, classes):
    """The pipeline's own initial weights for sequences of `shape` (T, F), and which images it reads in each batch."""
    from mnist_lstm.core.model.classifier import new_classifier
    from mnist_lstm.core.training.batches import batches

    state = new_classifier(parameters.model, shape, classes, parameters.training.seed).state_dict()
    of_torch = (
        "recurrent.weight_ih_l0",
        "recurrent.weight_hh_l0",
        "recurrent.bias_ih_l0",
        "readout.weight",
        "readout.bias",
    )
    names = ("input", "recurrent", "bias", "readout", "readout_bias")
    weights = {name: state[torch_name].numpy().T.copy() for name, torch_name in zip(names, of_torch, strict=True)}
    return weights, batches(images, parameters.training.batch_size, parameters.training.seed)
