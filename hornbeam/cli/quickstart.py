"""``hornbeam quickstart``: a first network, trained on 1,797 handwritten digits in some seconds, and how it learned."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from hornbeam.keras import Input, Sequential, layers
from hornbeam.keras.utils import set_random_seed

GOOD_ACCURACY = 0.9
"""Share of unseen digits named right; the network reaches about 0.97, and 0.9 needs most of the training to work."""


def main(words: list[str]) -> int:
    """Train, evaluate and draw; return 0 if the network learned the task, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="hornbeam quickstart",
        description="Train a small network on handwritten digits, and draw how it learned.",
        epilog='Needs the extras: pip install "hornbeam[plot,sklearn]"',
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the training digits (20)")
    parser.add_argument("--picture", default="quickstart.png", help="file for the curves (quickstart.png); '' for none")
    options = parser.parse_args(words)
    start = time.perf_counter()
    model, history, accuracy = train(options.epochs)
    seconds = time.perf_counter() - start
    print(f"\n{model.count_params():,} weights trained for {options.epochs} epochs in {seconds:.1f} s.")
    print(f"Of 360 digits it had never seen, it names {accuracy:.1%} right.")
    if options.picture:
        draw(history, options.picture)
        print(f"How it learned: {options.picture}")
    return 0 if accuracy >= GOOD_ACCURACY else 1


def train(epochs: int) -> tuple[Any, dict[str, list[float]], float]:
    """Train on the first 1,437 digits.

    Returns:
        The model, its history (one number an epoch for `loss`, `accuracy`, `val_loss`, `val_accuracy`), and the share
        of the other 360 digits it names right, 0..1.
    """
    images, names = digits()
    set_random_seed(1)
    model = Sequential(
        [
            Input((8, 8)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()
    unseen = images[1437:], names[1437:]
    history = model.fit(images[:1437], names[:1437], batch_size=32, epochs=epochs, validation_data=unseen, verbose=2)
    _, accuracy = model.evaluate(*unseen, verbose=0)
    return model, history.history, float(accuracy)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 8, 8) float32 in 0..1 and what they show (1797,) int32, in a fixed random order."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            'The quickstart takes its digits from scikit-learn: pip install "hornbeam[sklearn]"'
        ) from error
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.images))
    return (found.images[order] / 16).astype("float32"), found.target[order].astype("int32")


def draw(history: dict[str, list[float]], file: str) -> None:
    """Write a picture of the loss and the accuracy, epoch by epoch."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            'The curves are drawn by matplotlib: pip install "hornbeam[plot]", or give --picture ""'
        ) from error
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], label="training")
        axes.plot(epochs, history[f"val_{name}"], label="unseen")
        axes.set(xlabel="epoch", ylabel=name)
        axes.legend()
    figure.savefig(file, dpi=120)
