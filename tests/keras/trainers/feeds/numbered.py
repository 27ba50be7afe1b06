"""Data sets by number that behave and misbehave, in a module that worker processes can import."""

import os
import time

import numpy as np

from hornbeam import keras


class Numbered(keras.utils.PyDataset):
    """Batch ``i`` is full of ``i``; some batches go wrong as asked."""

    def __init__(self, count=8, bad=None, dying=None, stuck=None, **kwargs):
        super().__init__(**kwargs)
        self.count, self.bad, self.dying, self.stuck = count, bad, dying, stuck
        self.asked = []
        self.epochs = 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.asked.append(index)
        if index == self.bad:
            raise KeyError(f"batch {index} is bad")
        if index == self.dying:
            os._exit(7)
        if index == self.stuck:
            time.sleep(60)
        time.sleep(0.002 * (index % 3))
        x = np.random.default_rng(index).random((4, 3)).astype("float32")
        x[:, 0] = index
        return x, x.sum(axis=1, keepdims=True)

    def on_epoch_end(self):
        self.epochs += 1
