"""The same architecture built here and by Keras, without drawing random weights."""

import contextlib
from unittest import mock

import keras as oracle
import numpy as np

from hornbeam import keras
from hornbeam.keras.initializers.variance_scaling import VarianceScaling

# Parameters with all defaults, from Keras 3.15's documentation and `count_params()`.
COUNTS = {
    "ConvNeXtBase": 88591464,
    "ConvNeXtLarge": 197767336,
    "ConvNeXtSmall": 50223688,
    "ConvNeXtTiny": 28589128,
    "ConvNeXtXLarge": 350196968,
    "DenseNet121": 8062504,
    "DenseNet169": 14307880,
    "DenseNet201": 20242984,
    "EfficientNetB0": 5330571,
    "EfficientNetB1": 7856239,
    "EfficientNetB2": 9177569,
    "EfficientNetB3": 12320535,
    "EfficientNetB4": 19466823,
    "EfficientNetB5": 30562527,
    "EfficientNetB6": 43265143,
    "EfficientNetB7": 66658687,
    "EfficientNetV2B0": 7200312,
    "EfficientNetV2B1": 8212124,
    "EfficientNetV2B2": 10178374,
    "EfficientNetV2B3": 14467622,
    "EfficientNetV2L": 119027848,
    "EfficientNetV2M": 54431388,
    "EfficientNetV2S": 21612360,
    "InceptionResNetV2": 55873736,
    "InceptionV3": 23851784,
    "MobileNet": 4253864,
    "MobileNetV2": 3538984,
    "MobileNetV3Large": 5507432,
    "MobileNetV3Small": 2554968,
    "NASNetLarge": 88949818,
    "NASNetMobile": 5326716,
    "ResNet101": 44707176,
    "ResNet101V2": 44675560,
    "ResNet152": 60419944,
    "ResNet152V2": 60380648,
    "ResNet50": 25636712,
    "ResNet50V2": 25613800,
    "VGG16": 138357544,
    "VGG19": 143667240,
    "Xception": 22910480,
}


def _zeros(self, shape, dtype=None):
    return np.zeros(shape, str(dtype or "float32"))


@contextlib.contextmanager
def no_random_weights():
    """Kernels start as zeros: what is compared here does not depend on them, and drawing takes most of the time."""
    with (
        mock.patch.object(VarianceScaling, "__call__", _zeros),
        mock.patch.object(oracle.initializers.VarianceScaling, "__call__", _zeros),
    ):
        yield


def build(library, name, /, **arguments):
    """A model without stored weights; names are counted from the start."""
    library.utils.clear_session()
    return getattr(library.applications, name)(weights=None, **arguments)


def pair(name, /, **arguments):
    """(ours, Keras's)."""
    return build(keras, name, **arguments), build(oracle, name, **arguments)


def plain(config):
    """A config without what depends on the library: modules, dtype policies, drawn seeds."""
    if isinstance(config, dict):
        if {"class_name", "config"} <= set(config):
            return config["class_name"], plain(config["config"])
        return {key: plain(value) for key, value in config.items() if key not in ("dtype", "seed")}
    if isinstance(config, (list, tuple)):
        return [plain(value) for value in config]
    return config


def assert_same(ours, theirs):
    """Layers, their configs, weights with paths and shapes, counts and output shape are equal."""
    assert ours.name == theirs.name
    assert [(type(one).__name__, one.name) for one in ours.layers] == [
        (type(one).__name__, one.name) for one in theirs.layers
    ]
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert plain(mine.get_config()) == plain(other.get_config()), mine.name
    assert [(w.path, tuple(w.shape), w.trainable) for w in ours.weights] == [
        (w.path, tuple(w.shape), w.trainable) for w in theirs.weights
    ]
    assert ours.count_params() == theirs.count_params()
    assert tuple(ours.output_shape) == tuple(theirs.output_shape)
