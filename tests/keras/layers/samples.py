"""What the tests of layers share."""

import keras
import numpy as np

from hornbeam.core.tensor import from_host


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def masked_pair(array, mask):
    ours, theirs = from_host(array), keras.ops.convert_to_tensor(array)
    if mask is not None:
        ours._keras_mask = from_host(mask)
        keras.src.backend.set_keras_mask(theirs, keras.ops.convert_to_tensor(mask))
    return ours, theirs


def mask_of(tensor):
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)


FIRST = np.array([[True, True, False, False], [True, False, True, False], [False] * 4])
SECOND = np.array([[True, False, True, False], [False, False, True, True], [True] * 4])
