"""``keras.optimizers.legacy``: the optimizers under the path that older programs import them from."""

from __future__ import annotations

from hornbeam.keras.optimizers.adadelta import Adadelta
from hornbeam.keras.optimizers.adagrad import Adagrad
from hornbeam.keras.optimizers.adam import Adam
from hornbeam.keras.optimizers.adamax import Adamax
from hornbeam.keras.optimizers.ftrl import Ftrl
from hornbeam.keras.optimizers.legacy.nadam import Nadam
from hornbeam.keras.optimizers.legacy.rmsprop import RMSprop
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.optimizers.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
