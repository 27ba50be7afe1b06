"""Stand-ins for a model and its optimizer, for callbacks of Hornbeam and of the oracle alike."""

from __future__ import annotations

import numpy as np


class FakeOptimizer:
    def __init__(self, rate=0.1, name="sgd"):
        self.rate, self.name = np.float32(rate), name
        self.set_to = []

    @property
    def learning_rate(self):
        return self.rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.set_to.append(value)
        self.rate = np.float32(value)


class FakeMultiOptimizer:
    def __init__(self, *optimizers):
        self.optimizers = list(optimizers)


class FakeModel:
    """Notes what callbacks do to it; its one weight is the number of the epoch."""

    def __init__(self, optimizer=None, metrics=()):
        self.optimizer = optimizer or FakeOptimizer()
        self.metrics = list(metrics)
        self.stop_training = False
        self.weights = [np.zeros(1)]
        self.saved = []
        self.restored = []
        self.history = None

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.restored.append([weight.copy() for weight in weights])
        self.weights = [weight.copy() for weight in weights]

    def save(self, path, overwrite=False):
        self.saved.append(("model", str(path), overwrite))

    def save_weights(self, path, overwrite=False):
        self.saved.append(("weights", str(path), overwrite))


def drive(list_class, callbacks, epochs, model=None, batches=(), verbose=0):
    """Run callbacks through a training of given logs, the way `fit` does.

    Args:
        list_class: the `CallbackList` of Hornbeam or of the oracle.
        callbacks: callbacks of the same origin.
        epochs: logs of each epoch.
        batches: logs of the batches of every epoch.

    Returns:
        The model.
    """
    model = model or FakeModel()
    run = list_class(
        callbacks, add_history=True, model=model, verbose=verbose, epochs=len(epochs), steps=len(batches) or None
    )
    run.on_train_begin()
    logs = None
    for epoch, logs in enumerate(epochs):
        model.weights = [np.full(1, float(epoch))]
        run.on_epoch_begin(epoch)
        for batch, batch_logs in enumerate(batches):
            run.on_train_batch_begin(batch)
            run.on_train_batch_end(batch, dict(batch_logs))
        run.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    run.on_train_end(logs)
    return model
