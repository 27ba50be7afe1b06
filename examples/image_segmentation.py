"""Image segmentation: a U-Net on a MobileNetV2 encoder finds drawn disks and squares.

    python examples/image_segmentation.py [masks.png]

The encoder gives feature maps of five sizes; the decoder doubles the size step by step (transposed convolution,
normalization, ReLU, as in pix2pix) and joins each result with the encoder's map of the same size. The script draws its
own pictures, prints the mean IoU, and writes a PNG: picture, true mask, predicted mask.
"""

import sys

import numpy as np
from PIL import Image

from hornbeam import keras
from hornbeam.keras import layers

SIZE, CLASSES = 64, 3  # background, disk, square
SKIPS = ["block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"]
TINTS = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, -0.5], [-0.5, 0.0, 0.5]])  # of the classes in the pictures, RGB in -1..1
COLORS = np.array([[40, 40, 60], [230, 160, 40], [60, 160, 220]], "uint8")


def draw(count, seed):
    """Noisy pictures in -1..1 with a disk and a square each, and their masks."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    masks = np.zeros((count, SIZE, SIZE), "int32")
    for mask in masks:
        (r, c), radius = rng.integers(12, SIZE - 12, 2), rng.integers(7, 13)
        top, left, side = *rng.integers(2, SIZE - 24, 2), rng.integers(12, 22)
        mask[top : top + side, left : left + side] = 2
        mask[(rows - r) ** 2 + (columns - c) ** 2 < radius**2] = 1
    shades = TINTS + rng.uniform(-0.4, 0.4, (count, CLASSES, 3))
    pictures = shades[np.arange(count)[:, None, None], masks] + rng.normal(0, 0.15, (count, SIZE, SIZE, 3))
    return np.clip(pictures, -1, 1).astype("float32"), masks[..., None]


def upsample(filters, window=3):
    """Twice the size."""
    return keras.Sequential(
        [
            layers.Conv2DTranspose(filters, window, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    )


def unet():
    base = keras.applications.MobileNetV2((SIZE, SIZE, 3), alpha=0.35, include_top=False, weights=None)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # 0.999 is for long training; here there are about a hundred steps
    bottom = base.get_layer("block_16_project").output
    encoder = keras.Model(base.input, [base.get_layer(name).output for name in SKIPS] + [bottom])

    inputs = keras.Input((SIZE, SIZE, 3))
    *skips, x = encoder(inputs)
    for skip, filters in zip(reversed(skips), (64, 48, 32, 24), strict=True):
        x = layers.Concatenate()([upsample(filters)(x), skip])
    return keras.Model(inputs, layers.Conv2DTranspose(CLASSES, 3, strides=2, padding="same")(x), name="unet")


def mean_iou(true, predicted):
    metric = keras.metrics.MeanIoU(num_classes=CLASSES)
    metric.update_state(true, predicted)
    return float(metric.result())


def save_masks(path, pictures, true, predicted):
    """One row per picture: the picture, its mask, the predicted mask."""
    rows = [
        np.hstack([((picture + 1) * 127.5).astype("uint8"), COLORS[mask[..., 0]], COLORS[guess]])
        for picture, mask, guess in zip(pictures, true, predicted, strict=True)
    ]
    Image.fromarray(np.vstack(rows)).save(path)


def main(path="masks.png", epochs=6):
    keras.utils.set_random_seed(1)
    x_train, y_train = draw(160, seed=1)
    x_test, y_test = draw(24, seed=2)
    model = unet()
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x_train, y_train, batch_size=16, epochs=epochs, verbose=0)
    predicted = model.predict(x_test, verbose=0).argmax(-1)
    iou = mean_iou(y_test[..., 0], predicted)
    save_masks(path, x_test[:6], y_test[:6], predicted[:6])
    print(f"mean IoU {iou:.3f}; masks in {path}")
    return iou


if __name__ == "__main__":
    main(*sys.argv[1:2])
