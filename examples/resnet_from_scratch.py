"""A small residual network, trained from random weights with a falling learning rate.

    python examples/resnet_from_scratch.py

Each block learns what to add to its input. The shortcut is the input itself, or a 1x1 convolution of it where the size
or the number of channels changes.
"""

import numpy as np
from sklearn.datasets import load_digits

from hornbeam import keras
from hornbeam.keras import layers


class ResidualBlock(layers.Layer):
    """Two 3x3 convolutions with normalization, and the shortcut around them."""

    def __init__(self, filters, stride=1, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.stride = filters, stride
        self.first = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)
        self.first_norm = layers.BatchNormalization(momentum=0.9)
        self.second = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.second_norm = layers.BatchNormalization(momentum=0.9)
        self.shortcut = self.shortcut_norm = None

    def build(self, input_shape):
        if self.stride != 1 or input_shape[-1] != self.filters:
            self.shortcut = layers.Conv2D(self.filters, 1, strides=self.stride, use_bias=False)
            self.shortcut_norm = layers.BatchNormalization(momentum=0.9)

    def call(self, x, training=None):
        out = keras.ops.relu(self.first_norm(self.first(x), training=training))
        out = self.second_norm(self.second(out), training=training)
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x), training=training)
        return keras.ops.relu(out + x)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


def resnet(classes=10):
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        x = ResidualBlock(filters, stride)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="small_resnet")


def main(epochs=5):
    keras.utils.set_random_seed(1)
    digits = load_digits()
    x, y = (digits.images[..., None] / 16).astype(np.float32), digits.target
    steps = epochs * -(-1400 // 32)
    model = resnet()
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.05, steps), momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x[:1400], y[:1400], batch_size=32, epochs=epochs, verbose=0).history
    accuracy = model.evaluate(x[1400:], y[1400:], verbose=0)[1]
    print(f"loss {history['loss'][0]:.3f} -> {history['loss'][-1]:.3f}, test accuracy {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
