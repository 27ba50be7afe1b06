"""MobileNetV2, put together from its blocks, and compared with `keras.applications.MobileNetV2`.

    python examples/mobilenet_v2_from_blocks.py

An inverted residual block makes the picture wide by a 1x1 convolution, looks around in each channel by itself
(depthwise), makes it narrow again, and adds what came in. The script builds the network layer by layer, gives it the
weights of the ready-made one, and shows that both compute the same.
"""

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers

# Filters, number of blocks, stride of the first block, factor by which a block is widened.
STAGES = ((16, 1, 1, 1), (24, 2, 2, 6), (32, 3, 2, 6), (64, 4, 2, 6), (96, 3, 1, 6), (160, 3, 2, 6), (320, 1, 1, 6))


def multiple_of_8(value):
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


def norm(x):
    return layers.BatchNormalization(momentum=0.999)(x)


def norm_relu6(x):
    return layers.ReLU(6)(norm(x))


def inverted_residual(x, filters, stride, expansion):
    before, channels = x, x.shape[-1]
    if expansion > 1:
        x = norm_relu6(layers.Conv2D(expansion * channels, 1, use_bias=False)(x))
    if stride == 2:
        # One row and column of zeros, where the picture has an even size; two where it is odd.
        odd = [1 - size % 2 for size in x.shape[1:3]]
        x = layers.ZeroPadding2D(((1 - odd[0], 1), (1 - odd[1], 1)))(x)
    padding = "valid" if stride == 2 else "same"
    x = norm_relu6(layers.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False)(x))
    x = norm(layers.Conv2D(filters, 1, use_bias=False)(x))
    return layers.Add()([before, x]) if stride == 1 and channels == filters else x


def mobilenet_v2(size=96, alpha=1.0, classes=1000):
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(multiple_of_8(32 * alpha), 3, strides=2, padding="same", use_bias=False)(inputs)
    x = norm_relu6(x)
    for filters, count, stride, expansion in STAGES:
        for index in range(count):
            x = inverted_residual(x, multiple_of_8(int(filters * alpha)), stride if index == 0 else 1, expansion)
    x = norm_relu6(layers.Conv2D(multiple_of_8(1280 * max(alpha, 1.0)), 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="mobilenet_v2")


def main(size=96, alpha=0.35):
    keras.utils.set_random_seed(1)
    ours = mobilenet_v2(size, alpha)
    ready = keras.applications.MobileNetV2((size, size, 3), alpha=alpha, weights=None)
    print(f"parameters: {ours.count_params():,} by hand, {ready.count_params():,} ready-made")

    ours.set_weights(ready.get_weights())
    pictures = np.random.default_rng(0).uniform(-1, 1, (4, size, size, 3)).astype("float32")
    difference = np.abs(ours.predict(pictures, verbose=0) - ready.predict(pictures, verbose=0)).max()
    print(f"largest difference of the outputs: {difference:.1e}")
    return ours.count_params(), ready.count_params(), float(difference)


if __name__ == "__main__":
    main()
