"""Keras 3 on TensorFlow: `Model.fit`, which runs ten updates in one call into TensorFlow."""

import os

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}

import keras
from race import CLASSES, LEARNING_RATE, LOG_EVERY, Race, scaled


class Clock(keras.callbacks.Callback):
    """Reads every tenth loss."""

    def __init__(self, race: Race):
        super().__init__()
        self.race, self.update = race, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Called after each call into TensorFlow."""
        self.update += LOG_EVERY
        self.race.read_loss(self.update, logs["loss"])
        if self.update + LOG_EVERY > self.race.updates:
            self.model.stop_training = True


def main(race: Race) -> None:
    """Trains and validates."""
    keras.utils.set_random_seed(1)
    (images, labels), (valid_images, valid_labels) = race.images()
    model = keras.Sequential(
        [keras.Input((race.steps, race.features)), keras.layers.LSTM(race.hidden), keras.layers.Dense(CLASSES)]
    )
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=LOG_EVERY,
    )
    calls = race.updates // LOG_EVERY
    used = len(labels) // race.batch // LOG_EVERY * LOG_EVERY * race.batch  # no short call at an epoch's end
    epochs = -(-calls * LOG_EVERY * race.batch // used)
    clock = Clock(race)
    model.fit(scaled(images[:used]), labels[:used], race.batch, epochs, verbose=0, callbacks=[clock])
    race.finish(model.evaluate(scaled(valid_images), valid_labels, batch_size=1000, verbose=0)[1])


if __name__ == "__main__":
    main(Race())
