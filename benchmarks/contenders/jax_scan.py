"""JAX: the cell by `lax.scan` over the steps, ten updates by another scan in one compiled call, and Optax's Adam."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from race import CLASSES, LEARNING_RATE, LOG_EVERY, Race, scaled

Weights = dict[str, jax.Array]


def initial(features: int, hidden: int) -> Weights:
    """Glorot-uniform weights, and zero biases."""
    first, second = jax.random.split(jax.random.key(1))
    draw = jax.nn.initializers.glorot_uniform()
    return {
        "kernel": draw(first, (features + hidden, 4 * hidden)),
        "bias": jnp.zeros(4 * hidden),
        "readout": draw(second, (hidden, CLASSES)),
        "readout_bias": jnp.zeros(CLASSES),
    }


def classify(weights: Weights, sequences: jax.Array) -> jax.Array:
    """Logits (N, K) for sequences (N, T, F)."""
    features, hidden = sequences.shape[2], weights["readout"].shape[0]
    from_input = sequences.swapaxes(0, 1) @ weights["kernel"][:features] + weights["bias"]  # all steps at once

    def step(state: Any, gates: jax.Array) -> Any:
        output, memory = state
        i, j, f, o = jnp.split(gates + output @ weights["kernel"][features:], 4, axis=1)
        memory = jax.nn.sigmoid(f + 1) * memory + jax.nn.sigmoid(i) * jnp.tanh(j)
        return (jax.nn.sigmoid(o) * jnp.tanh(memory), memory), None

    zeros = jnp.zeros((len(sequences), hidden))
    (output, _), _ = jax.lax.scan(step, (zeros, zeros), from_input)
    return output @ weights["readout"] + weights["readout_bias"]


def main(race: Race) -> None:
    """Trains and validates."""
    (train, labels), (valid, valid_labels) = race.images()
    images, answers = jnp.asarray(scaled(train)), jnp.asarray(labels.astype(np.int32))
    adam = optax.adam(LEARNING_RATE)

    def loss_of(weights: Weights, order: jax.Array) -> jax.Array:
        logits = classify(weights, images[order])
        return optax.softmax_cross_entropy_with_integer_labels(logits, answers[order]).mean()

    def update(state: Any, order: jax.Array) -> Any:
        weights, moments = state
        loss, gradients = jax.value_and_grad(loss_of)(weights, order)
        changes, moments = adam.update(gradients, moments)
        return (optax.apply_updates(weights, changes), moments), loss

    ten_updates = jax.jit(lambda state, orders: jax.lax.scan(update, state, orders), donate_argnums=0)
    weights = initial(race.features, race.hidden)
    state = weights, adam.init(weights)
    numbers = np.random.default_rng(1)
    passes = -(-race.updates * race.batch // len(labels))
    order = np.concatenate([numbers.permutation(len(labels)) for _ in range(passes)])
    for number in range(LOG_EVERY, race.updates + 1, LOG_EVERY):
        chosen = order[(number - LOG_EVERY) * race.batch : number * race.batch].reshape(LOG_EVERY, race.batch)
        state, losses = ten_updates(state, jnp.asarray(chosen))
        race.read_loss(number, float(losses[-1]))
    found = jax.jit(classify)(state[0], jnp.asarray(scaled(valid))).argmax(1)
    race.finish(float((np.asarray(found) == valid_labels).mean()))


if __name__ == "__main__":
    main(Race())
