"""Random changes of images, and what has no reference numbers."""

import numpy as np
import pytest

import hornbeam as tf

IMAGE = np.random.RandomState(0).random_sample((9, 7, 3)).astype("float32")
MANY = np.repeat(IMAGE[None], 200, axis=0)


def test_flips_are_drawn_for_each_image():
    for flip, turned in (
        (tf.image.random_flip_left_right, IMAGE[:, ::-1]),
        (tf.image.random_flip_up_down, IMAGE[::-1]),
    ):
        out = flip(MANY, seed=3).numpy()
        share = np.mean([np.array_equal(image, turned) for image in out])
        assert 0.35 < share < 0.65
        assert all(np.array_equal(image, turned) or np.array_equal(image, IMAGE) for image in out)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("random_brightness", (0.3,)),
        ("random_contrast", (0.5, 1.5)),
        ("random_hue", (0.3,)),
        ("random_saturation", (0.5, 1.5)),
        ("random_flip_left_right", ()),
        ("random_crop", ((4, 5, 3),)),
    ],
)
def test_stateless_ones_depend_on_the_seed_alone(name, arguments):
    draw = getattr(tf.image, f"stateless_{name}")
    first = draw(MANY[:8] if "flip" in name else IMAGE, *arguments, seed=(1, 2)).numpy()
    again = draw(MANY[:8] if "flip" in name else IMAGE, *arguments, seed=(1, 2)).numpy()
    others = [draw(MANY[:8] if "flip" in name else IMAGE, *arguments, seed=(1, n)).numpy() for n in range(3, 7)]
    np.testing.assert_array_equal(first, again)
    assert any(not np.array_equal(first, other) for other in others)
    fresh = [getattr(tf.image, name)(IMAGE, *arguments).numpy() for _ in range(6)]
    assert any(not np.array_equal(fresh[0], other) for other in fresh[1:])


def test_crops_lie_inside_and_reach_all_places():
    ramp = np.arange(20.0, dtype="float32").reshape(1, 20, 1)
    starts = {int(tf.image.random_crop(ramp, (1, 17, 1)).numpy()[0, 0, 0]) for _ in range(60)}
    assert starts == {0, 1, 2, 3}
    with pytest.raises(ValueError, match=r"need value\.shape"):
        tf.image.random_crop(ramp, (1, 21, 1))


def test_jpeg_quality():
    pixels = (IMAGE * 255).astype("uint8")
    good, bad = (np.abs(tf.image.adjust_jpeg_quality(pixels, q).numpy().astype(int) - pixels).mean() for q in (100, 5))
    assert good < bad
    assert tuple(tf.image.random_jpeg_quality(pixels, 10, 90).shape) == (9, 7, 3)


def test_padded_suppression_equals_the_plain_one():
    rng = np.random.RandomState(1)
    corners = rng.rand(30, 2).astype("float32")
    boxes = np.concatenate([corners, corners + rng.rand(30, 2).astype("float32") * 0.5], axis=1)
    scores = rng.rand(30).astype("float32")
    plain = tf.image.non_max_suppression(boxes, scores, 8, 0.3, 0.2).numpy()
    padded, count = tf.image.non_max_suppression_padded(boxes, scores, 8, 0.3, 0.2, pad_to_max_output_size=True)
    np.testing.assert_array_equal(padded.numpy()[: int(count)], plain)


def test_gradients_reach_the_images():
    images = tf.constant(IMAGE)
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = tf.reduce_sum(tf.image.resize(tf.image.adjust_contrast(images, 1.5), (4, 4)) ** 2)
    assert np.abs(tape.gradient(out, images).numpy()).max() > 0


def test_wrong_arguments_raise():
    for call, text in (
        (lambda: tf.image.resize(IMAGE, (3,)), "size"),
        (lambda: tf.image.resize(IMAGE, (3, 3), "cubic"), "method"),
        (lambda: tf.image.resize(IMAGE[0], (3, 3)), "axes"),
        (lambda: tf.image.central_crop(IMAGE, 1.2), "central_fraction"),
        (lambda: tf.image.crop_to_bounding_box(IMAGE, 5, 0, 5, 5), "outside"),
        (lambda: tf.image.pad_to_bounding_box(IMAGE, 5, 0, 5, 9), "fit"),
        (lambda: tf.image.random_hue(IMAGE, 0.7), "max_delta"),
        (lambda: tf.image.random_contrast(IMAGE, 2.0, 1.0), "upper"),
        (lambda: tf.image.grayscale_to_rgb(IMAGE), "size 1"),
        (lambda: tf.image.ssim(IMAGE, IMAGE[:5], 1.0), "one shape"),
        (lambda: tf.image.crop_and_resize(IMAGE, [[0.0, 0, 1, 1]], [0], (2, 2)), "batch"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
