"""LeNet-5 on handwritten digits, written twice: as a Sequential model and as a class of its own.

    python examples/lenet5.py                              # 1,797 small digits from scikit-learn, a few seconds
    python examples/lenet5.py --data mnist_10k.npz --epochs 10

The file holds x_train, y_train, x_test, y_test: pictures of 28 x 28 bytes and their digits.
"""

import argparse
import time

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers


def load(path=None):
    """Digits of 28 x 28 pixels in 0..1, as (x_train, y_train), (x_test, y_test)."""
    if path:
        with np.load(path) as data:
            x_train, y_train, x_test, y_test = (data[key] for key in ("x_train", "y_train", "x_test", "y_test"))
        x_train, x_test = x_train / 255.0, x_test / 255.0
    else:
        from sklearn.datasets import load_digits

        digits = load_digits()
        # 8 x 8 pixels in 0..16, three times as large, with a margin.
        x = np.pad(np.kron(digits.images / 16.0, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2)))
        x_train, x_test, y_train, y_test = x[:1400], x[1400:], digits.target[:1400], digits.target[1400:]
    return (x_train[..., None].astype("float32"), y_train), (x_test[..., None].astype("float32"), y_test)


def sequential():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="lenet5",
    )


class LeNet5(keras.Model):
    """The same network as a class: layers in the constructor, their order in `call`."""

    def __init__(self, classes=10):
        super().__init__()
        self.first = layers.Conv2D(6, 5, padding="same", activation="relu")
        self.second = layers.Conv2D(16, 5, activation="relu")
        self.pool = layers.MaxPooling2D(2)
        self.flatten = layers.Flatten()
        self.wide = layers.Dense(120, activation="relu")
        self.narrow = layers.Dense(84, activation="relu")
        self.classify = layers.Dense(classes, activation="softmax")

    def call(self, x):
        x = self.pool(self.first(x))
        x = self.pool(self.second(x))
        return self.classify(self.narrow(self.wide(self.flatten(x))))


def train(model, data, epochs, verbose):
    (x_train, y_train), (x_test, y_test) = data
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(x_train, y_train, batch_size=64, epochs=epochs, verbose=verbose)
    seconds = (time.perf_counter() - start) / epochs
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    return accuracy, seconds


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help=".npz file; small digits from scikit-learn if not given")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--verbose", type=int, default=0)
    options = parser.parse_args(arguments)

    keras.utils.set_random_seed(1)
    data = load(options.data)
    accuracies = {}
    for name, model in (("Sequential", sequential()), ("class", LeNet5())):
        accuracies[name], seconds = train(model, data, options.epochs, options.verbose)
        print(f"{name}: test accuracy {accuracies[name]:.4f}, {seconds:.2f} s per epoch")
    return accuracies


if __name__ == "__main__":
    main()
