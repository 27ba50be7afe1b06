"""An inception module with the functional API: four branches of different windows, side by side.

    python examples/inception_module.py

Two modules learn to tell digits apart. 1x1 convolutions make the input of the larger windows narrow, so that they
stay cheap.
"""

import numpy as np
from sklearn.datasets import load_digits

from hornbeam import keras
from hornbeam.keras import layers


def inception(x, straight, narrow3, wide3, narrow5, wide5, pooled):
    def conv(x, filters, window):
        return layers.Conv2D(filters, window, padding="same", activation="relu")(x)

    branches = [
        conv(x, straight, 1),
        conv(conv(x, narrow3, 1), wide3, 3),
        conv(conv(x, narrow5, 1), wide5, 5),
        conv(layers.MaxPooling2D(3, strides=1, padding="same")(x), pooled, 1),
    ]
    return layers.Concatenate()(branches)


def build():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = inception(x, 8, 8, 16, 4, 8, 8)
    x = layers.MaxPooling2D(2)(x)
    x = inception(x, 16, 16, 32, 4, 8, 8)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x), name="small_inception")


def main(epochs=10):
    keras.utils.set_random_seed(1)
    # The module of the paper: 192 channels in, 64 + 128 + 32 + 32 out.
    paper = keras.Input((28, 28, 192))
    module = keras.Model(paper, inception(paper, 64, 96, 128, 16, 32, 32))
    print(f"inception (3a): {module.output_shape[-1]} channels, {module.count_params():,} parameters")

    digits = load_digits()
    x, y = (digits.images[..., None] / 16).astype(np.float32), digits.target
    model = build()
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1400], y[:1400], batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x[1400:], y[1400:], verbose=0)[1]
    print(f"test accuracy {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
