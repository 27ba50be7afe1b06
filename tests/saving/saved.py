"""A small model, every way to save it, and what lies on disk afterwards."""

import hashlib
from pathlib import Path

import numpy as np

from hornbeam import keras

MODEL_NAMES = ["m.keras", "m.h5", "folder"]
WEIGHT_NAMES = ["w.weights.h5", "w.h5", "w.npz", "w.safetensors", "w.weights.json"]


def make_model(fill=1.0, units=3):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.BatchNormalization()])
    model.set_weights([np.full(w.shape, fill, w.dtype) for w in model.get_weights()])
    return model


def save(model, path):
    name = Path(path).name
    if name in WEIGHT_NAMES:
        model.save_weights(path)
    else:
        model.save(path, **({"zipped": False} if name == "folder" else {}))


def load(path):
    if Path(path).name in WEIGHT_NAMES:
        model = make_model(0.5)
        model.load_weights(path)
        return model
    return keras.models.load_model(path)


def content(path):
    path = Path(path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


def data_file(path):
    return Path(path) / "model.weights.h5" if Path(path).is_dir() else Path(path)
