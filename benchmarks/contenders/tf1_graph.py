"""The tutorial's own graph, by TensorFlow's `compat.v1`: an unrolled BasicLSTMCell, fed by `feed_dict`."""

import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}

from collections.abc import Iterator

import numpy as np
import tensorflow.compat.v1 as tf
from numpy.typing import NDArray
from race import CLASSES, LEARNING_RATE, LOG_EVERY, Race, scaled

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)


def batches(total: int, size: int, updates: int) -> Iterator[NDArray[np.int64]]:
    """Positions of the images of each update; every epoch a new order."""
    numbers = np.random.default_rng(1)
    order = numbers.permutation(total)
    for _ in range(updates):
        if len(order) < size:
            order = np.concatenate([order, numbers.permutation(total)])
        yield order[:size]
        order = order[size:]


def main(race: Race) -> None:
    """Trains and validates."""
    tf.set_random_seed(1)
    (train, labels), (valid, valid_labels) = race.images()
    images, answers, valid_images = scaled(train), np.eye(CLASSES, dtype=np.float32)[labels], scaled(valid)
    x = tf.placeholder(tf.float32, [None, race.steps, race.features])
    y = tf.placeholder(tf.float32, [None, CLASSES])
    cell = tf.nn.rnn_cell.BasicLSTMCell(race.hidden, forget_bias=1)
    outputs, _ = tf.nn.static_rnn(cell, tf.unstack(x, race.steps, 1), dtype=tf.float32)
    weights = tf.Variable(tf.random_normal([race.hidden, CLASSES]))
    logits = tf.matmul(outputs[-1], weights) + tf.Variable(tf.random_normal([CLASSES]))
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
    step = tf.train.AdamOptimizer(LEARNING_RATE).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for update, order in enumerate(batches(len(labels), race.batch, race.updates), 1):
            fed = {x: images[order], y: answers[order]}
            if update % LOG_EVERY:
                session.run(step, fed)
            else:
                race.read_loss(update, session.run([loss, step], fed)[0])
        found = session.run(logits, {x: valid_images}).argmax(1)
    race.finish((found == valid_labels).mean())


if __name__ == "__main__":
    main(Race())
