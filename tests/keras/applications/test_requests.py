"""Arguments that do not go together, and what is said about them."""

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from tests.keras.applications.twins import no_random_weights

pytestmark = pytest.mark.unit

REFUSED = [
    ("ResNet50", {"weights": "nowhere.h5"}, "weights='nowhere.h5'"),
    ("ResNet50", {"weights": "imagenet", "classes": 10}, "include_top=False"),
    ("VGG16", {"weights": "imagenet", "input_shape": (100, 100, 3)}, r"\(224, 224, 3\)"),
    ("VGG16", {"weights": None, "input_shape": (31, 40, 3)}, "at least 32"),
    ("VGG16", {"weights": None, "input_shape": (None, None, 3)}, "known sizes"),
    ("InceptionV3", {"weights": None, "include_top": False, "input_shape": (74, 80, 3)}, "at least 75"),
    ("Xception", {"weights": None, "include_top": False, "input_shape": (70, 80, 3)}, "at least 71"),
    ("ResNet50", {"weights": "imagenet", "include_top": False, "input_shape": (64, 64, 4)}, "3 channels"),
    ("ResNet50", {"weights": None, "include_top": False, "input_shape": (64, 64)}, "three sizes"),
    ("ResNet50", {"weights": "imagenet", "classifier_activation": "sigmoid"}, "softmax"),
    ("MobileNet", {"weights": "imagenet", "alpha": 0.33}, "alpha=0.33"),
    ("MobileNet", {"weights": "imagenet", "depth_multiplier": 2}, "depth_multiplier=2"),
    ("MobileNetV2", {"weights": "imagenet", "alpha": 0.25}, "alpha=0.25"),
    ("MobileNetV3Small", {"weights": None, "input_shape": (16, 16, 3)}, "at least 32"),
    (
        "MobileNetV3Large",
        {"weights": "imagenet", "minimalistic": True, "alpha": 0.75, "input_shape": (224, 224, 3)},
        "alpha",
    ),
    ("NASNetMobile", {"weights": "imagenet", "include_top": False, "input_shape": (None, None, 3)}, "without None"),
]


@pytest.mark.parametrize(("name", "arguments", "said"), REFUSED)
def test_refused_as_by_keras(name, arguments, said):
    for library, match in ((keras, said), (oracle, None)):
        with no_random_weights(), pytest.raises(ValueError, match=match):
            getattr(library.applications, name)(**arguments)


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="'avg' or 'max'"):
        keras.applications.MobileNet(weights=None, include_top=False, pooling="average")


def test_an_input_tensor_must_be_symbolic_and_agree_with_the_shape():
    make = keras.applications.MobileNetV2
    with pytest.raises(ValueError, match="symbolic"):
        make(weights=None, input_tensor=np.zeros((1, 32, 32, 3), "float32"))
    with pytest.raises(ValueError, match="differ"):
        make(weights=None, include_top=False, input_tensor=keras.Input((64, 64, 3)), input_shape=(32, 32, 3))


@pytest.mark.parametrize("name", ["DenseNet121", "NASNetMobile", "ConvNeXtTiny"])
def test_channels_last_only(name):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="channels last only"):
            getattr(keras.applications, name)(weights=None)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_odd_channel_counts_warn():
    with no_random_weights(), pytest.warns(UserWarning, match="5 channels"):
        model = keras.applications.MobileNet((32, 32, 5), alpha=0.25, weights=None, include_top=False)
    assert tuple(model.input_shape) == (None, 32, 32, 5)


def test_weights_for_another_picture_size_warn(monkeypatch):
    found = []
    monkeypatch.setattr(
        "hornbeam.keras.applications.weight_files.Published.load_into", lambda files, *rest: found.append(files)
    )
    with no_random_weights(), pytest.warns(UserWarning, match="224"):
        model = keras.applications.MobileNetV2((100, 100, 3), include_top=False)
    assert found[0].no_top.source.endswith("_1.0_224_no_top.h5") and model.name == "mobilenetv2_1.00_224"


def test_a_list_is_a_shape_and_any_name_will_do():
    with no_random_weights():
        model = keras.applications.MobileNetV2(input_shape=[64, 64, 3], include_top=False, weights=None)
        assert tuple(model.output_shape) == (None, 2, 2, 1280)
        named = keras.applications.EfficientNetV2B0(
            include_top=False, weights=None, input_shape=(32, 32, 3), name="mine"
        )
    assert named.name == "mine" and named.layers[2].name.startswith("normalization")


def test_an_unknown_name_is_answered_with_a_near_one():
    with pytest.raises(AttributeError, match="MobileNetV2"):
        _ = keras.applications.MobilenetV2


def test_models_are_copied_by_config_and_trained():
    keras.utils.set_random_seed(0)
    base = keras.applications.MobileNetV3Small((32, 32, 3), minimalistic=True, include_top=False, weights=None)
    again = keras.Model.from_config(base.get_config())
    again.set_weights(base.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(base.predict(x, verbose=0), again.predict(x, verbose=0))
