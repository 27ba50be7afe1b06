"""Pixels and class names."""

import json

import keras as oracle
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras.applications import imagenet_utils, weight_files

pytestmark = pytest.mark.numeric
SHAPES = {
    ("channels_last", 3): (5, 6, 3),
    ("channels_last", 4): (2, 5, 6, 3),
    ("channels_first", 3): (3, 5, 6),
    ("channels_first", 4): (2, 3, 5, 6),
}
MODES = ("caffe", "tf", "torch")


def pixels(shape, dtype="float32"):
    return np.random.default_rng(0).uniform(0, 255, shape).astype(dtype)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("data_format", "ndim"), SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_arrays(mode, data_format, ndim, dtype):
    """The same numbers, the same dtype, and the same effect on the array handed in."""
    ours, theirs = (pixels(SHAPES[data_format, ndim], dtype) for _ in range(2))
    found = imagenet_utils.preprocess_input(ours, data_format, mode)
    expected = oracle.applications.imagenet_utils.preprocess_input(theirs, data_format, mode)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("data_format", "ndim"), SHAPES)
def test_tensors(mode, data_format, ndim):
    x = pixels(SHAPES[data_format, ndim])
    expected = imagenet_utils.preprocess_input(x.copy(), data_format, mode)
    found = imagenet_utils.preprocess_input(tf.constant(x), data_format, mode)
    assert isinstance(found, tf.Tensor) and found.dtype == "float32"
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_integer_tensors_become_floats(mode):
    x = pixels((2, 4, 4, 3), "uint8")
    expected = imagenet_utils.preprocess_input(x.astype("float32"), None, mode)
    found = imagenet_utils.preprocess_input(tf.constant(x), None, mode)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_in_a_model(mode):
    inputs = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(inputs, imagenet_utils.preprocess_input(inputs, mode=mode))
    assert tuple(model.output_shape) == (None, None, None, 3)
    x = pixels((2, 4, 5, 3), "uint8")
    expected = imagenet_utils.preprocess_input(x.copy(), None, mode)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6, atol=1e-5)


MODULES = [
    "convnext",
    "densenet",
    "efficientnet",
    "efficientnet_v2",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
]


@pytest.mark.parametrize("name", MODULES)
def test_each_architecture_has_its_own(name):
    x = pixels((2, 4, 5, 3))
    ours, theirs = getattr(keras.applications, name), getattr(oracle.applications, name)
    np.testing.assert_array_equal(ours.preprocess_input(x.copy()), theirs.preprocess_input(x.copy()))
    np.testing.assert_array_equal(
        ours.preprocess_input(x[0].copy(), data_format="channels_last"), theirs.preprocess_input(x[0].copy())
    )
    assert ours.decode_predictions is imagenet_utils.decode_predictions


def test_what_is_refused():
    x = pixels((2, 4, 4, 3))
    with pytest.raises(ValueError, match="mode"):
        imagenet_utils.preprocess_input(x, mode="keras")
    with pytest.raises(ValueError, match="data_format"):
        imagenet_utils.preprocess_input(x, data_format="last")
    with pytest.raises(ValueError, match="gray"):
        imagenet_utils.preprocess_input(pixels((2, 4, 4, 1)))


# --- names ---------------------------------------------------------------------------------------
@pytest.fixture
def class_index(tmp_path, monkeypatch):
    names = {str(number): [f"n{number:08d}", f"thing_{number}"] for number in range(1000)}
    path = tmp_path / "index.json"
    path.write_text(json.dumps(names))
    monkeypatch.setattr(weight_files.WeightFile, "fetch", lambda file: str(path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    monkeypatch.setattr(oracle.src.applications.imagenet_utils, "CLASS_INDEX", names)


@pytest.mark.parametrize("top", [1, 5, 1000])
def test_decode_predictions(class_index, top):
    scores = np.random.default_rng(0).random((3, 1000)).astype("float32")
    expected = oracle.applications.imagenet_utils.decode_predictions(scores, top)
    assert imagenet_utils.decode_predictions(scores, top=top) == expected
    assert imagenet_utils.decode_predictions(tf.constant(scores), top=top) == expected
    first = expected[0][0]
    assert first[1] == f"thing_{scores[0].argmax()}" and first[2] == scores[0].max()


@pytest.mark.parametrize("shape", [(1000,), (2, 10), (1, 2, 1000)])
def test_decode_predictions_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="1000"):
        imagenet_utils.decode_predictions(np.zeros(shape, "float32"))


def test_where_the_class_names_lie():
    assert imagenet_utils.CLASS_INDEX_PATH == oracle.src.applications.imagenet_utils.CLASS_INDEX_PATH
