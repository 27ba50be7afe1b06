"""``hornbeam quickstart``: a first network, from real handwritten digits to a saved model, in well under a minute."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from hornbeam.keras import Input, Sequential, layers
from hornbeam.keras.models import load_model
from hornbeam.keras.utils import set_random_seed

GOOD_ACCURACY = 0.97
"""Share of unseen digits that must be named right for the quickstart to count as passed."""

NEXT_STEPS = """
What to try next:
  hornbeam run your_script.py      a script written for TensorFlow or Keras, unchanged
  hornbeam doctor                  what this installation can do
  python -c "from hornbeam import keras; keras.models.load_model('{model}').summary()"
(after `make quickstart` these commands lie in .venv/bin: first `source .venv/bin/activate`)
"""


def main(words: list[str]) -> int:
    """Train, evaluate, save, reload, draw; return 0 if the network learned the task and came back unchanged."""
    parser = argparse.ArgumentParser(
        prog="hornbeam quickstart",
        description="Train a small CNN on handwritten digits, save it, read it back, draw the curves.",
        epilog='Needs the extras: pip install "hornbeam[plot,sklearn]"',
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the training digits (20)")
    parser.add_argument("--model", default="quickstart.keras", help="file for the model (quickstart.keras)")
    parser.add_argument("--picture", default="quickstart.png", help="file for the curves (quickstart.png); '' for none")
    options = parser.parse_args(words)
    start = time.perf_counter()
    (x_train, y_train), (x_test, y_test) = digits()
    print(f"{len(x_train)} handwritten digits to learn from, {len(x_test)} to be tested on, 8 x 8 pixels each.\n")
    model = build()
    model.summary()
    history = model.fit(x_train, y_train, epochs=options.epochs, validation_data=(x_test, y_test))
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    same = save_and_reload(model, options.model, x_test)
    seconds = time.perf_counter() - start
    print(f"\n{model.count_params():,} weights, {options.epochs} epochs, {seconds:.1f} s in all.")
    print(f"Of {len(x_test)} digits it had never seen, it names {accuracy:.1%} right.")
    print(f"Saved as {options.model}; read back, its predictions are {'identical' if same else 'DIFFERENT'}.")
    if options.picture:
        draw(history.history, options.picture)
        print(f"How it learned: {options.picture}")
    if accuracy < GOOD_ACCURACY:
        print(f"Less than {GOOD_ACCURACY:.0%} right: give it more --epochs.")
    print(NEXT_STEPS.format(model=options.model))
    return 0 if same and accuracy >= GOOD_ACCURACY else 1


def build() -> Any:
    """The network: pixels (batch, 8, 8, 1) in, probabilities (batch, 10) out; compiled."""
    set_random_seed(1)
    model = Sequential(
        [
            Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def save_and_reload(model: Any, file: str, x: np.ndarray) -> bool:
    """True if the model that comes back from the file predicts exactly the same."""
    model.save(file)
    return bool(np.array_equal(load_model(file).predict(x, verbose=0), model.predict(x, verbose=0)))


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Training and test digits: images (n, 8, 8, 1) float32 in 0..1 and what they show (n,) int32, in a fixed order."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            'The quickstart takes its digits from scikit-learn: pip install "hornbeam[sklearn]"'
        ) from error
    found: Any = load_digits()
    order = np.random.default_rng(0).permutation(len(found.images))
    x, y = (found.images[order, :, :, None] / 16).astype("float32"), found.target[order].astype("int32")
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])


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
