"""RegNet and ResNet-RS: layers, weights, counts, signatures, files and outputs are those of tf_keras 2.21.

The oracle is not needed: what it gave is written down here.
"""

import hashlib
import inspect
import warnings

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.applications import regnet, resnet_rs, weight_files
from tests.keras.applications.twins import no_random_weights

pytestmark = pytest.mark.numeric

# Parameters with all defaults, and `digest` of the layers and weights.
FACTS = {
    "RegNetX002": (2705640, "67282be4a3fc"),
    "RegNetX004": (5194184, "3a19a9a481a0"),
    "RegNetX006": (6229320, "8f5c234eec5e"),
    "RegNetX008": (7296968, "0164f874ca83"),
    "RegNetX016": (9233640, "3c4cf6f0c399"),
    "RegNetX032": (15359112, "b91c995cb1b2"),
    "RegNetX040": (22194312, "b448e66987e3"),
    "RegNetX064": (26283464, "5dfc912a0b8f"),
    "RegNetX080": (39663112, "ac208c5750c1"),
    "RegNetX120": (46202440, "95e52f23ceba"),
    "RegNetX160": (54389704, "acf87d86727f"),
    "RegNetX320": (107973576, "482ad38e99c4"),
    "RegNetY002": (3183844, "bca657495737"),
    "RegNetY004": (4371296, "9834af35e18e"),
    "RegNetY006": (6084920, "b10dd4d9468f"),
    "RegNetY008": (6293056, "ccb6f66b38b8"),
    "RegNetY016": (11255102, "3735c16a2811"),
    "RegNetY032": (19502498, "9f8682093134"),
    "RegNetY040": (20708928, "a9aa549be531"),
    "RegNetY064": (30665684, "e2cde3f0f16d"),
    "RegNetY080": (39265812, "10c634eab1a0"),
    "RegNetY120": (51918928, "fd931ad1e095"),
    "RegNetY160": (83712956, "77f1f15ff09c"),
    "RegNetY320": (145205058, "8f2297b8d7c4"),
    "ResNetRS50": (35745288, "6997411bd599"),
    "ResNetRS101": (63724296, "d3b471e5ada4"),
    "ResNetRS152": (86773256, "7bf68ff08ea1"),
    "ResNetRS200": (93386248, "0cb4754fd5fe"),
    "ResNetRS270": (130104520, "a34492f825f2"),
    "ResNetRS350": (164268360, "0a7876432819"),
    "ResNetRS420": (192262216, "2f09e771e373"),
}
QUICK = {"RegNetX002", "RegNetX080", "RegNetY002", "RegNetY032", "ResNetRS50", "ResNetRS101"}


def digest(model):
    """Of types and names of layers, and of paths, shapes and trainability of weights, in their order.

    Names of inputs and of operators (here ``Add`` and ``Multiply`` layers) differ between the libraries.
    """
    lines = []
    for layer in model.layers:
        kind = type(layer).__name__
        counted = kind in ("InputLayer", "Add") or layer.name.startswith("multiply")
        lines.append(kind if counted else f"{kind} {layer.name}")
    lines += [f"{weight.path} {tuple(weight.shape)} {weight.trainable}" for weight in model.weights]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FACTS]
)
def test_layers_weights_and_count(name):
    keras.utils.clear_session()
    with no_random_weights():
        model = getattr(keras.applications, name)(weights=None)
    assert (model.count_params(), digest(model)) == FACTS[name]
    assert tuple(model.output_shape) == (None, 1000)
    assert model.name == name.lower().replace("resnetrs", "resnet-rs-")


def test_names_and_signatures():
    rest = {"weights": "imagenet", "input_tensor": None, "input_shape": None, "pooling": None, "classes": 1000}
    last = {"classifier_activation": "softmax", "include_preprocessing": True}
    for name in FACTS:
        function = getattr(keras.applications, name)
        module = regnet if name.startswith("RegNet") else resnet_rs
        assert function is getattr(module, name)
        assert name in module.__all__
        assert function.__name__ == name
        have = {one.name: one.default for one in inspect.signature(function).parameters.values()}
        if module is regnet:
            assert list(have) == [
                "model_name", "include_top", "include_preprocessing", "weights", "input_tensor", "input_shape",
                "pooling", "classes", "classifier_activation",
            ]  # fmt: skip
            assert have == {"model_name": name.lower(), "include_top": True, **rest, **last}
        else:
            assert list(have) == [
                "include_top", "weights", "classes", "input_shape", "input_tensor", "pooling",
                "classifier_activation", "include_preprocessing",
            ]  # fmt: skip
            assert have == {"include_top": True, **rest, **last}
        assert f"Keras ``applications.{name}``" in function.__doc__
    pixels = np.ones((2, 2, 3))
    for module in (regnet, resnet_rs):
        assert module.preprocess_input(pixels) is pixels
        assert module.decode_predictions is keras.applications.imagenet_utils.decode_predictions


STAGES = {"depths": (1, 2, 1, 1), "group_width": 8, "default_size": 64}
GROUPS = [{"input_filters": 8, "num_repeats": 2}, {"input_filters": 16, "num_repeats": 1}]
FEATURES = {"include_preprocessing": False, "include_top": False}
OUTPUTS = [  # constructor, arguments, the first four outputs for each of two pictures
    (
        regnet.RegNet,
        {**STAGES, "widths": (16, 16, 32, 32), "block_type": "X", "classes": 4},
        [[1.83724, 0.915614, 3.13511, 0.844848], [1.88694, 0.883628, 3.22164, 0.802032]],
    ),
    (
        regnet.RegNet,
        {**STAGES, "widths": (16, 24, 32, 32), "block_type": "Y", "pooling": "avg", **FEATURES},
        [[25.0605, 8.71085, 1.65199, 0.0], [14.5764, 12.2075, 0.0, 0.391267]],
    ),
    (
        resnet_rs.ResNetRS,
        {"depth": 50, "block_args": GROUPS, "classes": 4, "classifier_activation": None},
        [[0.222562, 1.49073, 0.548826, 1.58688], [0.211405, 1.4922, 0.551094, 1.595]],
    ),
    (
        resnet_rs.ResNetRS,
        {
            **{"depth": 101, "block_args": GROUPS, "bn_epsilon": 1e-2, "activation": "swish", "se_ratio": 0.5},
            **{"pooling": "max", **FEATURES},
        },
        [[-1.10773e-18, 62.2142, -3.99451e-26, 113.039], [-2.18289e-17, 65.855, -2.99627e-26, 109.549]],
    ),
]
WHOLE = [
    (regnet.RegNetX002, [[1.34317, -1.62762, -2.6214, 0.347593], [1.29956, -1.6612, -2.62149, 0.307325]]),
    (regnet.RegNetY002, [[-0.149822, 2.49426, 0.627218, 2.24217], [-0.164841, 2.53111, 0.640267, 2.22817]]),
    (resnet_rs.ResNetRS50, [[0.230463, 0.303557, 0.0976841, 0.368296], [0.227401, 0.304418, 0.0982557, 0.369926]]),
]


@pytest.mark.parametrize(
    ("make", "arguments", "expected"),
    [
        *OUTPUTS,
        *(pytest.param(make, {"classes": 4}, expected, marks=pytest.mark.slow) for make, expected in WHOLE),
    ],
)
def test_equal_outputs_with_equal_weights(make, arguments, expected):
    """The stored numbers are tf_keras's, for these weights and pictures."""
    with no_random_weights():
        model = make(weights=None, input_shape=(40, 48, 3), **arguments)
    rng = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        fan_in = int(np.prod(shape[:-1])) or 1
        values.append(rng.uniform(0.5, 1.5, shape) if len(shape) == 1 else rng.normal(0, fan_in**-0.5, shape))
    model.set_weights([value.astype("float32") for value in values])
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 40, 48, 3)).astype("float32")
    outputs = model.predict(pixels, verbose=0)
    scale = np.abs(outputs).max()
    np.testing.assert_allclose(outputs[:, :4] / scale, np.array(expected) / scale, atol=5e-6)


def test_rates_of_dropout_grow_with_the_groups():
    with no_random_weights():
        model = resnet_rs.ResNetRS(420, block_args=GROUPS, weights=None, drop_connect_rate=0.3, dropout_rate=0.0)
    rates = {one.name: (one.rate, one.noise_shape) for one in model.layers if isinstance(one, keras.layers.Dropout)}
    assert rates == {
        "BlockGroup2__block_0__drop": (pytest.approx(0.2), (None, 1, 1, 1)),
        "BlockGroup2__block_1__drop": (pytest.approx(0.2), (None, 1, 1, 1)),
        "BlockGroup3__block_0__drop": (pytest.approx(0.3), (None, 1, 1, 1)),
    }


# --- published files -----------------------------------------------------------------------------
def test_names_and_hashes_of_all_files():
    lines = []
    for variant, hashes in regnet._HASHES.items():
        files = weight_files.plain(f"regnet{variant}", "", *hashes)
        lines += [f"{file.source} {file.hash}" for file in (files.top, files.no_top)]
    for depth, sizes in resnet_rs._HASHES.items():
        for size in sizes:
            files = resnet_rs._published("", depth, f"imagenet-i{size}")
            lines += [f"{file.source} {file.hash}" for file in (files.top, files.no_top)]
    assert len(lines) == 70
    expected = "cede25c38f2812beb1b40e7e01e59ad85c65729c7480935e35565956d62150a6"
    assert hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() == expected


@pytest.mark.parametrize(
    ("name", "arguments", "file"),
    [
        ("RegNetX002", {"model_name": "mine"}, "regnet/regnetx002.h5"),
        ("RegNetY002", {"include_top": False}, "regnet/regnety002_notop.h5"),
        ("ResNetRS50", {"input_shape": (64, 64, 3)}, "resnet_rs/resnet-rs-50-i160.h5"),
        ("ResNetRS101", {}, "resnet_rs/resnet-rs-101-i192.h5"),
        ("ResNetRS101", {"weights": "imagenet-i160", "include_top": False}, "resnet_rs/resnet-rs-101-i160_notop.h5"),
    ],
)
def test_file_asked_for(name, arguments, file, monkeypatch):
    class Asked(Exception):
        """Ends the construction, with what was asked for."""

    def ask(fname, origin, cache_subdir, file_hash=None):
        raise Asked(fname, origin, cache_subdir)

    monkeypatch.setattr(weight_files.utils, "get_file", ask)
    with no_random_weights(), pytest.raises(Asked) as caught:
        getattr(keras.applications, name)(**arguments)
    origin = f"https://storage.googleapis.com/tensorflow/keras-applications/{file}"
    assert caught.value.args == (file.partition("/")[2], origin, "models")


# --- arguments -----------------------------------------------------------------------------------
REFUSED = [
    (regnet.RegNetX002, {"weights": "nowhere.h5"}, "weights='nowhere.h5'"),
    (regnet.RegNetX002, {"classes": 10}, "include_top=False"),
    (regnet.RegNetX002, {"input_shape": (64, 64, 3)}, "one picture size"),
    (regnet.RegNet, {**STAGES, "widths": (8, 8, 8, 8), "block_type": "Z"}, "block_type='Z'"),
    (regnet.RegNet, {**STAGES, "widths": (8, 8, 8), "block_type": "X"}, "four widths"),
    (regnet.RegNet, {**STAGES, "widths": (8, 8, 8, 8), "block_type": "X"}, "no weights were published"),
    (resnet_rs.ResNetRS50, {"weights": "imagenet-i224"}, r"\['imagenet-i160'\]"),
    (resnet_rs.ResNetRS50, {"weights": "imagenet-i160", "classes": 10}, "include_top=False"),
    (resnet_rs.ResNetRS50, {"weights": "imagenet", "classifier_activation": "relu"}, "softmax"),
    (resnet_rs.ResNetRS50, {"weights": None, "input_shape": (31, 40, 3)}, "at least 32"),
    (resnet_rs.ResNetRS, {"depth": 34}, "unknown depth"),
]


@pytest.mark.parametrize(("make", "arguments", "said"), REFUSED)
def test_refused(make, arguments, said):
    with pytest.raises(ValueError, match=said):
        make(**arguments)


def test_a_regnet_begins_at_the_input_and_says_so():
    inputs = keras.Input((40, 40, 3), name="pixels")
    halved = keras.layers.Rescaling(0.5, name="halved")(inputs)
    options = {**STAGES, "widths": (8, 8, 8, 8), "block_type": "X", "weights": None, "include_top": False}
    with no_random_weights():
        with pytest.warns(UserWarning, match="'pixels'.*left out") as caught:
            model = regnet.RegNet(input_tensor=halved, **options)
        assert caught[0].filename == __file__
        assert [one.name for one in model.layers[:2]] == ["pixels", "regnet_prestem_rescaling"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert regnet.RegNet(input_tensor=inputs, **options).inputs[0] is inputs
        model = resnet_rs.ResNetRS(50, block_args=GROUPS, weights=None, include_top=False, input_tensor=halved)
    assert [one.name for one in model.layers[:2]] == ["pixels", "halved"]


def test_a_regnet_ends_with_logits_and_says_so():
    options = {**STAGES, "widths": (8, 8, 8, 8), "block_type": "X", "weights": None}
    with no_random_weights():
        with pytest.warns(UserWarning, match="logits: classifier_activation='sigmoid'"):
            model = regnet.RegNet(classifier_activation="sigmoid", **options)
        again = keras.Model.from_config(model.get_config())
    assert model.layers[-1].activation is keras.activations.linear
    assert [one.name for one in again.layers] == [one.name for one in model.layers]
