"""Every architecture: signature, layers, configs, weights, shapes and counts are those of Keras."""

import inspect

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from tests.keras.applications.twins import COUNTS, assert_same, build, no_random_weights, pair

pytestmark = pytest.mark.numeric
NAMES = sorted(COUNTS)
# Families are compared by one member each; the others differ by a table of numbers that their counts depend on.
QUICK = {
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "Xception",
}
# One more member of each family, whose size comes from the table alone.
COUNTED = {"ConvNeXtSmall", "DenseNet169", "EfficientNetB1", "EfficientNetV2B1", "ResNet101", "ResNet101V2", "VGG19"}
SMALL_PICTURES = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}


def slow_unless(quick, names):
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def test_the_names_are_those_of_keras():
    ours = {name for name in dir(keras.applications) if name[0].isupper()}
    # RegNet and ResNet-RS, which Keras 3 has not, have tests of their own.
    ours = {name for name in ours if not name.startswith(("RegNet", "ResNetRS"))}
    assert ours == {name for name in dir(oracle.applications) if name[0].isupper()} == set(NAMES)
    for name in dir(oracle.applications):
        if name[0].islower():
            theirs = {one for one in dir(getattr(oracle.applications, name)) if not one.startswith("_")}
            module = getattr(keras.applications, name)
            assert theirs <= set(dir(module)), name
            assert set(module.__all__) >= theirs


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    def parts(library):
        parameters = inspect.signature(getattr(library.applications, name)).parameters.values()
        return [(one.name, one.default, one.kind) for one in parameters]

    assert parts(keras) == parts(oracle)
    assert getattr(keras.applications, name).__name__ == name


@pytest.mark.parametrize("name", slow_unless(COUNTED, sorted(set(NAMES) - QUICK)))
def test_count(name):
    with no_random_weights():
        assert build(keras, name).count_params() == COUNTS[name]


@pytest.mark.parametrize("name", slow_unless(QUICK, NAMES))
def test_equal_to_keras(name):
    with no_random_weights():
        ours, theirs = pair(name)
    assert_same(ours, theirs)
    assert ours.count_params() == COUNTS[name]


POOLED = {"ConvNeXtTiny", "EfficientNetB0", "MobileNet", "ResNet50"}


@pytest.mark.parametrize("name", slow_unless(POOLED, sorted(QUICK)))
def test_without_top(name):
    size = SMALL_PICTURES.get(name, 33)
    with no_random_weights():
        assert_same(*pair(name, include_top=False, input_shape=(size, size, 3), pooling="max"))


VARIATIONS = [
    ("MobileNet", {"alpha": 0.5, "depth_multiplier": 2, "dropout": 0.2, "input_shape": (64, 48, 3), "classes": 7}),
    ("MobileNetV2", {"alpha": 1.4, "input_shape": (97, 97, 3), "classes": 7}),
    ("MobileNetV2", {"include_top": False}),
    ("MobileNetV3Small", {"alpha": 1.25, "minimalistic": True, "dropout_rate": 0, "include_preprocessing": False}),
    ("MobileNetV3Large", {"alpha": 0.75, "include_top": False, "pooling": "avg"}),
    ("EfficientNetV2B0", {"include_preprocessing": False, "classifier_activation": None, "name": "efficientnetv2-b0"}),
    ("EfficientNetV2B0", {"include_top": False, "input_shape": (64, 64, 1)}),
    ("ConvNeXtTiny", {"include_preprocessing": False, "name": "mine", "classes": 5, "input_shape": (64, 64, 3)}),
    ("ConvNeXtTiny", {"include_top": False, "input_shape": (None, None, 3)}),
    ("NASNetMobile", {"include_top": False}),
    ("ResNet50V2", {"include_top": False, "pooling": "avg", "name": "features"}),
    ("InceptionV3", {"include_top": False}),
    ("DenseNet121", {"classes": 3, "classifier_activation": "sigmoid", "input_shape": (40, 56, 1)}),
]


# The others ask again for what one of these has shown: no top, pooling, grey pictures.
QUICK_VARIATIONS = (0, 1, 3, 5, 7, 8, 12)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param(*case, marks=() if number in QUICK_VARIATIONS else pytest.mark.slow)
        for number, case in enumerate(VARIATIONS)
    ],
)
def test_variations(name, arguments):
    with no_random_weights():
        assert_same(*pair(name, **arguments))


@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0", "InceptionV3"])
def test_channels_first(name):
    for library in (keras, oracle):
        library.config.set_image_data_format("channels_first")
    try:
        with no_random_weights():
            assert_same(*pair(name, include_top=False, input_shape=(3, 96, 96)))
    finally:
        for library in (keras, oracle):
            library.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "MobileNetV2"])
def test_on_an_input_tensor(name):
    """What lies before the tensor becomes part of the model."""

    def make(library):
        library.utils.clear_session()
        inputs = library.Input((40, 40, 3), name="pixels")
        tensor = library.layers.Rescaling(1 / 255)(inputs)
        return getattr(library.applications, name)(weights=None, include_top=False, input_tensor=tensor)

    with no_random_weights():
        ours, theirs = make(keras), make(oracle)
    assert_same(ours, theirs)
    assert ours.layers[0].name == "pixels" and ours.layers[1].name == "rescaling"


OUTPUTS = [
    ("MobileNetV2", 33, {"alpha": 0.35}),
    *(
        pytest.param(name, SMALL_PICTURES.get(name, 33), {}, marks=pytest.mark.slow)
        for name in sorted(QUICK - {"MobileNetV2"})
    ),
]


@pytest.mark.parametrize(("name", "size", "arguments"), OUTPUTS)
def test_equal_outputs_with_equal_weights(name, size, arguments):
    rng = np.random.default_rng(0)
    with no_random_weights():
        ours, theirs = pair(name, include_top=False, input_shape=(size, size, 3), pooling="avg", **arguments)
    weights = []
    for weight in theirs.weights:
        shape = tuple(weight.shape)
        fan_in = int(np.prod(shape[:-1])) or 1
        value = rng.uniform(0.5, 1.5, shape) if len(shape) == 1 else rng.normal(0, fan_in**-0.5, shape)
        weights.append(value.astype(str(weight.dtype)))
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x = rng.uniform(0, 255, (2, size, size, 3)).astype("float32")
    expected = theirs.predict(x, verbose=0)
    scale = np.abs(expected).max()
    assert scale > 1e-3
    np.testing.assert_allclose(ours.predict(x, verbose=0) / scale, expected / scale, atol=5e-6)
