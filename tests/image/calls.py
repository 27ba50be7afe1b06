"""Calls of ``tf.image`` and ``tf.io`` that run on TensorFlow and here alike; their results are compared.

``python tests/image/calls.py`` under TensorFlow 2.21 writes ``reference.npz`` anew; ``files.npz`` holds small pictures
that Pillow wrote, and two serialized examples.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE = Path(__file__).with_name("reference.npz")
FILES = Path(__file__).with_name("files.npz")


def _numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).random_sample(shape).astype("float32")


FLOATS = _numbers(2, 9, 7, 3)
OTHER = _numbers(2, 9, 7, 3, seed=1)
BYTES = (FLOATS * 255).astype("uint8")
LARGE = _numbers(1, 24, 20, 1, seed=2)
BOXES = np.float32([[0.1, 0.2, 0.8, 0.9], [-0.2, 0.0, 0.5, 1.3], [0.9, 0.8, 0.2, 0.1]])
SCORES = np.float32([0.9, 0.75, 0.6, 0.95, 0.5, 0.3])
CORNERS = np.float32(
    [[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]]
)


def calls(tf: Any) -> dict[str, Callable[[], Any]]:
    """Calls by name."""
    image = tf.image
    found: dict[str, Callable[[], Any]] = {}
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"):
        for antialias in (False, True):
            for size in ((4, 11), (18, 3)):
                key = f"resize {method} {antialias} {size[0]}"
                found[key] = lambda m=method, a=antialias, s=size: image.resize(FLOATS, s, m, antialias=a)
    found |= {
        "resize bytes": lambda: image.resize(BYTES, (5, 12)),
        "resize bytes nearest": lambda: image.resize(BYTES, (5, 12), "nearest"),
        "resize same": lambda: image.resize(BYTES, (9, 7)),
        "resize aspect": lambda: image.resize(FLOATS, (20, 20), preserve_aspect_ratio=True),
        "resize single": lambda: image.resize(FLOATS[0], (4, 4)),
        "with pad": lambda: image.resize_with_pad(FLOATS, 10, 13),
        "with pad tall": lambda: image.resize_with_pad(FLOATS[0], 13, 4, antialias=True),
        "crop or pad": lambda: image.resize_with_crop_or_pad(BYTES, 12, 4),
        "crop or pad 2": lambda: image.resize_with_crop_or_pad(BYTES[0], 4, 12),
        "central": lambda: image.central_crop(BYTES, 0.5),
        "central one": lambda: image.central_crop(FLOATS[0], 0.3),
        "crop box": lambda: image.crop_to_bounding_box(FLOATS, 1, 2, 3, 4),
        "pad box": lambda: image.pad_to_bounding_box(FLOATS, 1, 2, 13, 14),
        "crop and resize": lambda: image.crop_and_resize(FLOATS, BOXES, [0, 1, 0], (4, 5)),
        "crop and resize nearest": lambda: image.crop_and_resize(BYTES, BOXES, [1, 1, 0], (3, 4), "nearest", 7.0),
        "crop and resize one": lambda: image.crop_and_resize(FLOATS, BOXES, [0, 1, 0], (1, 1)),
        "patches": lambda: image.extract_patches(FLOATS, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 2, 1], "SAME"),
        "left right": lambda: image.flip_left_right(BYTES),
        "up down": lambda: image.flip_up_down(BYTES[0]),
        "rot90": lambda: image.rot90(FLOATS),
        "rot90 3": lambda: image.rot90(FLOATS[0], 3),
        "transpose": lambda: image.transpose(FLOATS),
        "brightness": lambda: image.adjust_brightness(FLOATS, -0.3),
        "brightness bytes": lambda: image.adjust_brightness(BYTES, 0.3),
        "contrast": lambda: image.adjust_contrast(FLOATS, 1.7),
        "contrast bytes": lambda: image.adjust_contrast(BYTES, 1.7),
        "gamma": lambda: image.adjust_gamma(FLOATS, 2.2, 0.8),
        "gamma bytes": lambda: image.adjust_gamma(BYTES, 0.5),
        "hue": lambda: image.adjust_hue(FLOATS, 0.2),
        "hue bytes": lambda: image.adjust_hue(BYTES, -0.3),
        "saturation": lambda: image.adjust_saturation(FLOATS, 1.6),
        "saturation bytes": lambda: image.adjust_saturation(BYTES, 0.4),
        "grey": lambda: image.rgb_to_grayscale(FLOATS),
        "grey bytes": lambda: image.rgb_to_grayscale(BYTES),
        "colour": lambda: image.grayscale_to_rgb(tf.constant(FLOATS[..., :1])),
        "hsv": lambda: image.rgb_to_hsv(FLOATS),
        "rgb": lambda: image.hsv_to_rgb(FLOATS),
        "yiq": lambda: image.rgb_to_yiq(FLOATS),
        "from yiq": lambda: image.yiq_to_rgb(FLOATS),
        "yuv": lambda: image.rgb_to_yuv(FLOATS),
        "from yuv": lambda: image.yuv_to_rgb(FLOATS),
        "standard": lambda: image.per_image_standardization(FLOATS),
        "standard bytes": lambda: image.per_image_standardization(BYTES[0]),
        "convert": lambda: image.convert_image_dtype(BYTES, "float32"),
        "convert back": lambda: image.convert_image_dtype(FLOATS * 1.2, "uint8", saturate=True),
        "convert up": lambda: image.convert_image_dtype(BYTES, "uint16"),
        "convert down": lambda: image.convert_image_dtype(BYTES.astype("uint16") * 257, "uint8"),
        "convert signed": lambda: image.convert_image_dtype(BYTES, "int16"),
        "gradients": lambda: tf.stack(image.image_gradients(tf.constant(FLOATS))),
        "sobel": lambda: image.sobel_edges(tf.constant(FLOATS)),
        "variation": lambda: image.total_variation(tf.constant(FLOATS)),
        "variation one": lambda: image.total_variation(tf.constant(FLOATS[0])),
        "psnr": lambda: image.psnr(FLOATS, OTHER, 1.0),
        "psnr bytes": lambda: image.psnr(BYTES, BYTES[::-1], 255),
        "ssim": lambda: image.ssim(FLOATS, OTHER, 1.0, filter_size=5),
        "ssim bytes": lambda: image.ssim(BYTES, BYTES[::-1], 255, filter_size=7),
        "ssim map": lambda: image.ssim(LARGE, LARGE[:, ::-1], 1.0, return_index_map=True),
        "ssim scales": lambda: image.ssim_multiscale(LARGE, LARGE * 0.9, 1.0, [0.3, 0.7], filter_size=5),
        "boxes": lambda: image.draw_bounding_boxes(FLOATS, np.stack([BOXES[:2]] * 2), [[1.0, 0.0, 0.5]]),
        "boxes default": lambda: image.draw_bounding_boxes(FLOATS, np.stack([BOXES[:2]] * 2), None),
        "suppress": lambda: image.non_max_suppression(CORNERS, SCORES, 3, 0.5),
        "suppress scores": lambda: image.non_max_suppression(CORNERS, SCORES, 6, 0.5, 0.4),
        "suppress soft": lambda: image.non_max_suppression_with_scores(CORNERS, SCORES, 6, 1.0, 0.1, 0.5)[1],
        "suppress padded": lambda: image.non_max_suppression_padded(CORNERS, SCORES, 5, pad_to_max_output_size=True)[0],
        "suppress overlaps": lambda: image.non_max_suppression_overlaps(_numbers(6, 6, seed=4), SCORES, 4, 0.6),
        "suppress combined": lambda: image.combined_non_max_suppression(
            CORNERS[None, :, None], np.stack([SCORES, SCORES[::-1]], -1)[None], 3, 5
        )[1],
    }
    return found | _file_calls(tf)


def _file_calls(tf: Any) -> dict[str, Callable[[], Any]]:
    serialized = tf.io.serialize_tensor
    features = {
        "a": tf.io.FixedLenFeature([2], "float32"),
        "b": tf.io.FixedLenFeature([], "int64", 5),
        "c": tf.io.FixedLenSequenceFeature([], "int64", True, 9),
        "d": tf.io.VarLenFeature("float32"),
    }
    data = files()
    records = [data["record"], data["record 2"]]
    return {
        "example a": lambda: tf.io.parse_example(records, features)["a"],
        "example b": lambda: tf.io.parse_example(records, features)["b"],
        "example c": lambda: tf.io.parse_example(records, features)["c"],
        "example d": lambda: tf.io.parse_example(records, features)["d"].values,
        "example d places": lambda: tf.io.parse_example(records, features)["d"].indices,
        "raw": lambda: tf.io.decode_raw([b"\x01\x02\x03\x04", b"\xff\x02\x03\x84"], "int16"),
        "raw big": lambda: tf.io.decode_raw(b"\x01\x02\x03\x04", "int32", little_endian=False),
        "raw fixed": lambda: tf.io.decode_raw([b"\x01\x02\x03", b"\x07"], "uint8", fixed_length=2),
        "csv": lambda: tf.stack(tf.io.decode_csv(["1,2.5", '"4",'], [["0"], [9.5]])[1]),
        "tensor": lambda: tf.io.decode_raw(serialized(FLOATS[0]), "uint8"),
        "tensor ints": lambda: tf.io.decode_raw(serialized(np.arange(6, dtype="int64").reshape(2, 3)), "uint8"),
        "tensor texts": lambda: tf.io.decode_raw(serialized(np.array([b"a", b"bc"])), "uint8"),
        "png 1": lambda: tf.io.decode_png(data["RGB PNG"], channels=1),
        "png 3": lambda: tf.io.decode_png(data["RGBA PNG"], channels=3),
        "png 0": lambda: tf.io.decode_png(data["RGBA PNG"]),
        "png palette": lambda: tf.io.decode_png(data["P PNG"]),
        "png grey": lambda: tf.io.decode_image(data["L PNG"], channels=3),
        "png deep": lambda: tf.io.decode_png(data["deep PNG"], dtype="uint16"),
        "png deep to bytes": lambda: tf.io.decode_png(data["deep PNG"]),
        "image float": lambda: tf.io.decode_image(data["RGB PNG"], dtype="float32"),
        "bmp": lambda: tf.io.decode_bmp(data["RGB BMP"]),
        "gif": lambda: tf.io.decode_gif(data["P GIF"]),
        "gif image": lambda: tf.io.decode_image(data["P GIF"], expand_animations=False),
        "jpeg": lambda: tf.io.decode_jpeg(data["RGB JPEG"]),
        "jpeg grey": lambda: tf.io.decode_jpeg(data["RGB JPEG"], channels=1),
        "jpeg half": lambda: tf.io.decode_jpeg(data["RGB JPEG"], ratio=2),
        "jpeg shape": lambda: tf.io.extract_jpeg_shape(data["RGB JPEG"]),
    }


def files() -> dict[str, bytes]:
    """Encoded pictures and records that both sides read."""
    with np.load(FILES) as stored:
        return {name: stored[name].tobytes() for name in stored.files}


def results(tf: Any) -> dict[str, np.ndarray]:
    """Result of every call."""
    return {name: np.asarray(call()) for name, call in calls(tf).items()}


if __name__ == "__main__":
    import tensorflow

    np.savez_compressed(REFERENCE, **results(tensorflow))
