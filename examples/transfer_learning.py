"""Transfer learning: a network that knows the digits 0 to 4 learns 5 to 9 from few examples.

    python examples/transfer_learning.py

Step 1 trains a network on 0 to 4. Step 2 cuts its classifier off, freezes the rest and trains a new classifier. Step 3
thaws the last block and goes on at a low rate. In real life step 1 is
`keras.applications.MobileNetV2(include_top=False, weights="imagenet")`; all that follows is the same.
"""

import numpy as np
from sklearn.datasets import load_digits

from hornbeam import keras
from hornbeam.keras import layers


def data():
    digits = load_digits()
    x, y = (digits.images[..., None] / 16).astype(np.float32), digits.target
    old, new = y < 5, y >= 5
    return (x[old], y[old]), (x[new], y[new] - 5)


def pretrained():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="block1_conv"),
            layers.BatchNormalization(momentum=0.9, name="block1_norm"),
            layers.MaxPooling2D(2, name="block1_pool"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="block2_conv"),
            layers.BatchNormalization(momentum=0.9, name="block2_norm"),
            layers.GlobalAveragePooling2D(name="features"),
            layers.Dense(5, activation="softmax", name="predictions"),
        ]
    )


def train(model, rate, x, y, epochs):
    """`compile` anew after each change of `trainable`: only then does it count."""
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0)


def main():
    keras.utils.set_random_seed(1)
    (x_old, y_old), (x_new, y_new) = data()
    few, rest = slice(0, 60), slice(60, None)

    base = pretrained()
    train(base, 1e-3, x_old, y_old, epochs=5)
    print(f"old task: accuracy {base.evaluate(x_old, y_old, verbose=0)[1]:.3f}")

    base.pop()
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    # training=False: the statistics of the normalization layers stay, even once the base is thawed.
    outputs = layers.Dense(5, activation="softmax", name="new_digits")(base(inputs, training=False))
    model = keras.Model(inputs, outputs)
    frozen = base.get_layer("block1_conv").get_weights()[0]
    train(model, 1e-2, x_new[few], y_new[few], epochs=15)
    first = model.evaluate(x_new[rest], y_new[rest], verbose=0)[1]
    print(f"new task, {len(model.trainable_weights)} weights trained: accuracy {first:.3f}")

    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block2")
    train(model, 1e-3, x_new[few], y_new[few], epochs=15)
    second = model.evaluate(x_new[rest], y_new[rest], verbose=0)[1]
    print(f"new task, last block thawed: accuracy {second:.3f}")

    unchanged = np.array_equal(frozen, base.get_layer("block1_conv").get_weights()[0])
    print(f"frozen weights bit for bit as before: {unchanged}")
    return first, second, unchanged


if __name__ == "__main__":
    main()
