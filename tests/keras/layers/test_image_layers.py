"""Layers that change pictures, against Keras: equal seeds draw equal transformations, so whole calls are compared."""

import warnings

import keras
import numpy as np
import pytest
from keras.utils import bounding_boxes as box_oracle

from hornbeam import keras as hornbeam_keras
from hornbeam import ops
from hornbeam.core.tensor import from_host
from hornbeam.keras import layers

RNG = np.random.default_rng(0)
BYTES = (RNG.random((4, 12, 10, 3)) * 255).astype("float32")
UNIT = BYTES / 255
BOXES = np.float32([[[1, 2, 7, 9], [0, 0, 4, 4]]] * 4)
MASKS = RNG.integers(0, 3, (4, 12, 10, 1)).astype("uint8")
ONES = {"value_range": (0, 1)}

CASES = [
    ("RandomFlip", {"mode": "horizontal_and_vertical"}, BYTES),
    ("RandomRotation", {"factor": (-0.1, 0.3), "fill_mode": "constant", "fill_value": 7.0}, BYTES),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": (-0.1, 0.2), "fill_mode": "wrap"}, BYTES),
    ("RandomZoom", {"height_factor": (-0.3, 0.1), "width_factor": 0.2}, BYTES),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2, "fill_mode": "nearest"}, BYTES),
    ("RandomCrop", {"height": 20, "width": 5}, BYTES),
    ("CenterCrop", {"height": 20, "width": 5}, BYTES),
    ("Resizing", {"height": 6, "width": 5, "crop_to_aspect_ratio": True, "antialias": True}, BYTES),
    ("RandomBrightness", {"factor": 0.3}, BYTES),
    ("RandomContrast", {"factor": 0.3}, BYTES),
    ("RandomInvert", {"factor": 0.5}, BYTES),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.6, **ONES}, UNIT),
    ("RandomPosterization", {"factor": (2, 6)}, BYTES),
    ("RandomHue", {"factor": 0.4}, BYTES),
    ("RandomSaturation", {"factor": 0.8, **ONES}, UNIT),
    ("RandomColorDegeneration", {"factor": 0.5}, BYTES),
    ("RandomGrayscale", {"factor": 0.5}, BYTES),
    ("RandomColorJitter", {"brightness_factor": 0.2, "contrast_factor": 0.3, "hue_factor": 0.2}, BYTES),
    ("RandomGaussianBlur", {"factor": 0.7, "kernel_size": (3, 5), "sigma": 0.8}, BYTES),
    ("RandomSharpness", {"factor": 0.9}, BYTES),
    ("RandomErasing", {}, BYTES),
    ("RandomPerspective", {"factor": 0.8, "scale": 0.4}, BYTES),
    ("RandomElasticTransform", {"factor": 0.8, "scale": 0.9}, BYTES),
    ("AutoContrast", {}, BYTES),
    ("Equalization", {}, BYTES),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (3, 4)}, BYTES),
    ("MixUp", {"alpha": 0.4}, BYTES),
    ("CutMix", {"factor": 0.7}, BYTES),
    ("RandAugment", {"factor": 0.4}, BYTES),
]


def pair(name, arguments):
    """Our layer and Keras's, with one seed."""
    theirs = getattr(keras.layers, name)
    seeded = {"seed": 7} if "seed" in theirs.__init__.__code__.co_varnames else {}
    return getattr(layers, name)(**arguments, **seeded), theirs(**arguments, **seeded)


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


@pytest.mark.parametrize(("name", "arguments", "images"), CASES, ids=lambda part: part if isinstance(part, str) else "")
def test_calls_and_configs_equal_keras(name, arguments, images):
    ours, theirs = pair(name, arguments)
    unlike = {"name", "dtype", "seed"} if name == "RandomCrop" else {"name", "dtype"}
    config, expected = ours.get_config(), theirs.get_config()
    assert {k: v for k, v in config.items() if k not in unlike} == {
        k: v for k, v in expected.items() if k not in unlike
    }
    assert type(ours).from_config(config).get_config() == config
    for _ in range(2):
        got, wanted = ours(images, training=True), quiet(theirs, images, training=True)
        assert tuple(got.shape) == tuple(wanted.shape)
        np.testing.assert_allclose(got.numpy(), np.asarray(wanted), rtol=1e-5, atol=6e-4)
    symbolic = ours(hornbeam_keras.Input((12, 10, 3)))
    assert tuple(symbolic.shape) == (None, *got.shape[1:]) and symbolic.dtype == "float32"


@pytest.mark.parametrize("name", ["RandomFlip", "RandomRotation", "RandomContrast", "RandomHue", "RandomErasing"])
def test_without_training_images_stay(name):
    arguments = {} if name in ("RandomFlip", "RandomErasing") else {"factor": 0.3}
    layer = getattr(layers, name)(**arguments)
    np.testing.assert_array_equal(layer(BYTES, training=False).numpy(), BYTES)
    model = hornbeam_keras.Sequential([hornbeam_keras.Input((12, 10, 3)), layer])
    np.testing.assert_allclose(model.predict(BYTES, verbose=0), BYTES)


@pytest.mark.parametrize("name", ["RandomFlip", "RandomZoom", "RandomErasing"])
def test_one_image_and_channels_first(name):
    arguments = {} if name in ("RandomFlip", "RandomErasing") else {"factor": 0.3}
    arguments = {"height_factor": 0.3} if name == "RandomZoom" else arguments
    ours, theirs = pair(name, {**arguments, "data_format": "channels_first"})
    first = np.ascontiguousarray(BYTES.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(ours(first, training=True).numpy(), theirs(first, training=True), rtol=1e-5, atol=6e-4)
    ours, theirs = pair(name, arguments)
    got, wanted = ours(BYTES[0], training=True).numpy(), np.asarray(theirs(BYTES[0], training=True))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=6e-4)


BOXED = [
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.1}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
    ("RandomCrop", {"height": 6, "width": 5}),
    ("CenterCrop", {"height": 20, "width": 5}),
    ("Resizing", {"height": 6, "width": 20, "pad_to_aspect_ratio": True}),
    ("Resizing", {"height": 6, "width": 20, "crop_to_aspect_ratio": True}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomBrightness", {"factor": 0.2}),
]


@pytest.mark.parametrize(("name", "arguments"), BOXED, ids=lambda part: part if isinstance(part, str) else "")
def test_boxes_masks_and_labels_equal_keras(name, arguments):
    outputs = []
    for layer in pair(name, {**arguments, "bounding_box_format": "rel_center_xywh"}):
        boxes = box_oracle.convert_format(BOXES, "xyxy", "rel_center_xywh", height=12, width=10)
        given = {
            "images": BYTES,
            "segmentation_masks": MASKS,
            "labels": np.eye(4, dtype="float32"),
            "bounding_boxes": {"boxes": np.asarray(boxes), "labels": np.int32([[1, 2]] * 4)},
        }
        outputs.append(quiet(layer, given, training=True))
    ours, theirs = outputs
    for key in ("images", "segmentation_masks", "labels"):
        np.testing.assert_allclose(np.asarray(ours[key]), np.asarray(theirs[key]), rtol=1e-5, atol=6e-4)
    for key in ("boxes", "labels"):
        got, wanted = ours["bounding_boxes"][key], theirs["bounding_boxes"][key]
        np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-4, atol=1e-5)


def test_augmix_mixes_within_the_range_and_anew_each_time():
    layer = layers.AugMix(seed=3, factor=0.5)
    first, second = layer(BYTES, training=True).numpy(), layer(BYTES, training=True).numpy()
    assert first.shape == BYTES.shape and first.min() >= 0 and first.max() <= 255
    assert np.abs(first - BYTES).mean() > 1 and np.abs(first - second).mean() > 1
    np.testing.assert_array_equal(layer(BYTES, training=False).numpy(), BYTES)
    # Without changes in the chains the mixture is the image itself.
    drawn = layer.get_random_transformation(BYTES)
    drawn["layer_idxes"] = ops.full_like(drawn["layer_idxes"], 11)
    np.testing.assert_allclose(layer.transform_images(from_host(BYTES), drawn).numpy(), BYTES, rtol=1e-5)


def test_randaugment_applies_the_chosen_layers_in_order():
    layer = layers.RandAugment(seed=1)
    drawn = layer.get_random_transformation(BYTES)
    drawn["layer_idxes"] = from_host(np.int32([9, 3]))
    expected = layer.auto_contrast.transform_images(from_host(BYTES), None)
    expected = layer.random_brightness.transform_images(expected, drawn["transforms"]["random_brightness"])
    got = layer.transform_images(from_host(BYTES), drawn).numpy()
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-3)


def test_distributions():
    many = np.repeat(UNIT[:1], 400, axis=0)
    flipped = layers.RandomFlip("horizontal", seed=2)(many, training=True).numpy()
    share = np.mean([np.array_equal(image, UNIT[0, :, ::-1]) for image in flipped])
    assert 0.42 < share < 0.58
    change = layers.RandomBrightness(0.2, value_range=(-9, 9), seed=2)(many, training=True).numpy() - many
    deltas = change[:, 0, 0, 0] / 18
    assert deltas.min() < -0.18 and deltas.max() > 0.18 and abs(deltas.mean()) < 0.02


@pytest.mark.parametrize(("name", "axis"), [("RandomHeight", 1), ("RandomWidth", 2)])
def test_random_sides(name, axis):
    layer = getattr(layers, name)((-0.4, 0.5), seed=1)
    shapes = [tuple(layer(BYTES, training=True).shape) for _ in range(8)]
    sizes = {shape[axis] for shape in shapes}
    assert len(sizes) > 2 and min(sizes) >= 0.6 * BYTES.shape[axis] - 1 and max(sizes) <= 1.5 * BYTES.shape[axis]
    assert {shape[3 - axis] for shape in shapes} == {BYTES.shape[3 - axis]}
    np.testing.assert_array_equal(layer(BYTES, training=False).numpy(), BYTES)
    assert layer(hornbeam_keras.Input((12, 10, 3))).shape[axis] is None
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_max_num_bounding_boxes_cuts_and_pads():
    boxes = {"boxes": BOXES, "labels": np.int32([[1, 2]] * 4)}
    for number in (1, 3):
        layer = layers.MaxNumBoundingBoxes(number, fill_value=-1, bounding_box_format="xyxy")
        out = layer({"images": BYTES, "bounding_boxes": boxes})["bounding_boxes"]
        assert tuple(out["boxes"].shape) == (4, number, 4) and tuple(out["labels"].shape) == (4, number)
        assert (np.asarray(out["labels"])[:, 2:] == -1).all()


def test_pipeline_runs_and_comes_back_from_its_config():
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.Rescaling(1 / 255)])
    out = pipeline(BYTES, training=True).numpy()
    assert out.max() <= 1 and not np.allclose(out, UNIT)
    np.testing.assert_allclose(pipeline(BYTES, training=False).numpy(), UNIT, rtol=1e-6)
    again = layers.Pipeline.from_config(pipeline.get_config())
    assert [type(layer).__name__ for layer in again.layers] == ["RandomFlip", "Rescaling"]


@pytest.mark.parametrize("mode", ["log", "psd", "real", "imag", "angle", "stft"])
def test_spectrogram_modes_equal_keras(mode):
    signal = RNG.standard_normal((2, 300, 2)).astype("float32")
    for options in (
        {"frame_length": 64},
        {"frame_length": 50, "frame_step": 30, "padding": "same", "expand_dims": True},
    ):
        ours, theirs = layers.STFTSpectrogram(mode, **options), keras.layers.STFTSpectrogram(mode, **options)
        got, wanted = ours(signal).numpy(), np.asarray(theirs(signal))
        assert tuple(ours.compute_output_shape(signal.shape)) == got.shape == wanted.shape
        close = np.isclose(got, wanted, rtol=1e-4, atol=1e-4)
        # An angle near half a turn may come out with either sign.
        assert close.all() if mode != "angle" else close.mean() > 0.99


def test_wrong_arguments_raise():
    for make, text in (
        (lambda: layers.RandomFlip("diagonal"), "mode"),
        (lambda: layers.RandomRotation(1.5), "factor"),
        (lambda: layers.RandomZoom(-1.0), "height_factor"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "value_range"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "odd"),
        (lambda: layers.RandomPerspective(scale=2), "scale"),
        (lambda: layers.RandomErasing(fill_value=(1, 2)), "fill_value"),
        (lambda: layers.RandomGrayscale(2), "probability"),
        (lambda: layers.MelSpectrogram(fft_length=10, sequence_length=20), "fft_length"),
        (lambda: layers.STFTSpectrogram("power"), "mode"),
        (lambda: layers.Pipeline.from_config({}), "layers"),
        (lambda: layers.RandomFlip()(BYTES[0, 0]), "3 axes"),
        (lambda: layers.RandomFlip()({"images": BYTES, "bounding_boxes": {}}), "bounding_box_format"),
    ):
        with pytest.raises(ValueError, match=text):
            make()
    with pytest.raises(NotImplementedError, match="fill_mode"):
        layers.RandomShear(fill_mode="edge")
    with pytest.raises(NotImplementedError, match="CutMix"):
        layers.CutMix(bounding_box_format="xyxy")(
            {"images": BYTES, "bounding_boxes": {"boxes": BOXES, "labels": MASKS}}
        )
