"""Old configs, weight layouts and optimizer states that no stored file here shows."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs import modernize
from hornbeam.compat.configs.values import piecewise_sigmoid

pytestmark = pytest.mark.compat


def sequential(*layers, version="1.2.2"):
    """A Sequential config of the first generation, as a model."""
    config = {"class_name": "Sequential", "config": list(layers), "keras_version": version}
    return keras.models.model_from_config(config)


def entry(class_name, **config):
    return {"class_name": class_name, "config": config}


# --- layers --------------------------------------------------------------------------------------
FIRST = [
    (
        entry("Dense", output_dim=3, batch_input_shape=[None, 4], init="uniform", bias=False, activation="relu"),
        {"units": 3, "use_bias": False},
    ),
    (
        entry(
            "AtrousConvolution2D",
            nb_filter=2,
            nb_row=3,
            nb_col=2,
            atrous_rate=[2, 1],
            border_mode="same",
            subsample=[1, 1],
            dim_ordering="tf",
            batch_input_shape=[None, 8, 8, 3],
        ),
        {
            "filters": 2,
            "kernel_size": (3, 2),
            "dilation_rate": (2, 1),
            "padding": "same",
            "data_format": "channels_last",
        },
    ),
    (
        entry(
            "Deconvolution2D",
            nb_filter=2,
            nb_row=3,
            nb_col=3,
            output_shape=[None, 10, 10, 2],
            subsample=[1, 1],
            border_mode="valid",
            dim_ordering="tf",
            batch_input_shape=[None, 8, 8, 3],
        ),
        {"filters": 2},
    ),
    (
        entry(
            "SeparableConvolution2D",
            nb_filter=2,
            nb_row=3,
            nb_col=3,
            depthwise_init="uniform",
            depth_multiplier=2,
            dim_ordering="tf",
            batch_input_shape=[None, 8, 8, 3],
        ),
        {"filters": 2, "depth_multiplier": 2},
    ),
    (
        entry(
            "Convolution3D",
            nb_filter=2,
            kernel_dim1=2,
            kernel_dim2=3,
            kernel_dim3=1,
            dim_ordering="tf",
            batch_input_shape=[None, 5, 5, 5, 1],
        ),
        {"kernel_size": (2, 3, 1)},
    ),
    (
        entry("MaxPooling1D", pool_length=3, stride=2, border_mode="same", batch_input_shape=[None, 8, 2]),
        {"pool_size": (3,), "strides": (2,), "padding": "same"},
    ),
    (
        entry(
            "ZeroPadding2D",
            padding={"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 4},
            dim_ordering="tf",
            batch_input_shape=[None, 4, 4, 1],
        ),
        {"padding": ((1, 2), (3, 4))},
    ),
    (entry("UpSampling1D", length=3, batch_input_shape=[None, 4, 2]), {"size": 3}),
    (entry("GaussianNoise", sigma=0.3, batch_input_shape=[None, 4]), {"stddev": 0.3}),
    (
        entry("SpatialDropout2D", p=0.3, dim_ordering="th", batch_input_shape=[None, 4, 4, 2]),
        {"rate": 0.3, "data_format": "channels_first"},
    ),
    (entry("ThresholdedReLU", theta=0.7, batch_input_shape=[None, 4]), {"threshold": 0.7}),
    (entry("LeakyReLU", alpha=0.2, batch_input_shape=[None, 4]), {"negative_slope": 0.2}),
    (entry("TimeDistributedDense", output_dim=3, batch_input_shape=[None, 5, 4]), {"units": 3}),
    (
        entry(
            "LSTM",
            output_dim=3,
            forget_bias_init="one",
            inner_activation="sigmoid",
            dropout_W=0.1,
            dropout_U=0.2,
            consume_less="gpu",
            input_dim=4,
            batch_input_shape=[None, 5, 4],
        ),
        {"units": 3, "unit_forget_bias": True, "dropout": 0.1, "recurrent_dropout": 0.2},
    ),
]


@pytest.mark.parametrize("stored, expected", FIRST, ids=[one["class_name"] for one, _ in FIRST])
def test_arguments_of_the_first_generation(stored, expected):
    layer = sequential(stored).layers[0]
    config = layer.get_config()
    for name, value in expected.items():
        found = config[name]
        assert (tuple(found) if isinstance(found, list) else found) == value, name


def test_penalties_and_constraints_of_the_first_generation():
    layer = sequential(
        entry(
            "Dense",
            output_dim=3,
            batch_input_shape=[None, 4],
            W_regularizer={"name": "L1L2Regularizer", "l1": 0.1, "l2": 0.2},
            W_constraint={"name": "MaxNorm", "m": 3, "axis": 0},
            b_constraint="nonneg",
        )
    ).layers[0]
    assert layer.kernel_regularizer.get_config() == pytest.approx({"l1": 0.1, "l2": 0.2})
    assert layer.kernel_constraint.get_config() == {"max_value": 3, "axis": 0}
    assert type(layer.bias_constraint).__name__ == "NonNeg"


def test_hard_sigmoid_keeps_the_meaning_of_its_time():
    x = np.linspace(-4, 4, 41, dtype="float32")
    old = sequential(entry("Activation", activation="hard_sigmoid", batch_input_shape=[None, 41]))
    np.testing.assert_allclose(np.asarray(old(x[None]))[0], np.clip(0.2 * x + 0.5, 0, 1), atol=1e-6)
    np.testing.assert_allclose(np.asarray(piecewise_sigmoid(x)), np.clip(0.2 * x + 0.5, 0, 1), atol=1e-6)
    new = {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
        "config": {
            "name": "s",
            "layers": [
                {
                    "module": "keras.layers",
                    "class_name": "Activation",
                    "config": {"name": "a", "activation": "hard_sigmoid"},
                }
            ],
        },
    }
    today = keras.models.model_from_config(new)
    np.testing.assert_allclose(np.asarray(today(x[None]))[0], np.clip(x / 6 + 0.5, 0, 1), atol=1e-6)


def test_the_old_hard_sigmoid_survives_another_save(tmp_path):
    model = sequential(entry("Activation", activation="hard_sigmoid", batch_input_shape=[None, 3]))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    x = np.asarray([[-2.0, 0.4, 2.0]], "float32")
    np.testing.assert_allclose(np.asarray(again(x)), [[0.1, 0.58, 0.9]], atol=1e-6)


@pytest.mark.parametrize(
    "mode, kind",
    [
        ("sum", "Add"),
        ("mul", "Multiply"),
        ("ave", "Average"),
        ("max", "Maximum"),
        ("concat", "Concatenate"),
        ("dot", "Dot"),
        ("cos", "Dot"),
    ],
)
def test_merge_modes(mode, kind):
    nodes = [[["a", 0, 0], ["b", 0, 0]]]
    layers = [
        {
            **entry("InputLayer", name=name, batch_input_shape=[None, 4], input_dtype="float32"),
            "name": name,
            "inbound_nodes": [],
        }
        for name in "ab"
    ]
    merge = {**entry("Merge", name="m", mode=mode, mode_type="raw", concat_axis=-1, dot_axes=-1), "name": "m"}
    config = {
        "class_name": "Model",
        "config": {
            "name": "g",
            "layers": [*layers, {**merge, "inbound_nodes": nodes}],
            "input_layers": [["a", 0, 0], ["b", 0, 0]],
            "output_layers": [["m", 0, 0]],
        },
        "keras_version": "1.0.0",
    }
    model = keras.models.model_from_config(config)
    layer = model.get_layer("m")
    assert type(layer).__name__ == kind
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    value = np.asarray(model([a, b]))
    unit = [one / np.linalg.norm(one, axis=-1, keepdims=True) for one in (a, b)]
    expected = {
        "sum": a + b,
        "mul": a * b,
        "ave": (a + b) / 2,
        "max": np.maximum(a, b),
        "concat": np.concatenate([a, b], -1),
        "dot": (a * b).sum(-1, keepdims=True),
        "cos": (unit[0] * unit[1]).sum(-1, keepdims=True),
    }[mode]
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "stored",
    [
        entry("MaxoutDense", output_dim=3),
        entry("BatchNormalization", mode=2, batch_input_shape=[None, 3]),
        entry("Merge", mode="x", mode_type="lambda", layers=[]),
        entry("Embedding", input_dim=3, output_dim=2, dropout=0.5, batch_input_shape=[None, 3]),
        entry("LSTM", output_dim=3, time_major=True, batch_input_shape=[None, 5, 4]),
    ],
    ids=lambda stored: stored["class_name"],
)
def test_what_has_no_successor_is_refused_with_advice(stored):
    with pytest.raises(UnsupportedFileError):
        sequential(entry("Masking", batch_input_shape=[None, 3]), stored)


def test_a_graph_of_the_flat_form():
    config = {
        "name": "Graph",
        "input_config": [
            {"name": "a", "input_shape": [4], "dtype": "float"},
            {"name": "b", "input_shape": [4], "dtype": "float"},
        ],
        "node_config": [
            {"name": "d", "input": "a", "inputs": [], "merge_mode": "concat"},
            {"name": "e", "input": None, "inputs": ["d", "b"], "merge_mode": "sum"},
        ],
        "nodes": {
            "d": {"name": "Dense", "output_dim": 4, "activation": "linear"},
            "e": {"name": "Activation", "activation": "relu"},
        },
        "output_config": [{"name": "out", "input": "e", "inputs": []}],
    }
    model = keras.models.model_from_config(config)
    kernel = np.eye(4, dtype="float32") * 2
    model.set_weights([kernel, np.zeros(4, "float32")])
    a, b = np.ones((1, 4), "float32"), np.full((1, 4), -3.0, "float32")
    np.testing.assert_allclose(np.asarray(model([a, b])), np.maximum(a * 2 + b, 0))


def test_operations_of_tensorflow_inside_a_graph():
    layers = [
        {
            **entry("InputLayer", name="x", batch_input_shape=[None, 4], dtype="float32"),
            "name": "x",
            "inbound_nodes": [],
        },
        {
            **entry("TFOpLambda", name="mul", function="math.multiply"),
            "name": "mul",
            "inbound_nodes": [["x", 0, 0, {"y": 2.0, "name": None}]],
        },
        {
            **entry("TFOpLambda", name="add", function="__operators__.add"),
            "name": "add",
            "inbound_nodes": [["mul", 0, 0, {"y": ["x", 0, 0], "name": None}]],
        },
        {
            **entry("SlicingOpLambda", name="cut", function="__operators__.getitem"),
            "name": "cut",
            "inbound_nodes": [
                [
                    "add",
                    0,
                    0,
                    {
                        "slice_spec": [
                            {"start": None, "stop": None, "step": None},
                            {"start": 1, "stop": 3, "step": None},
                        ]
                    },
                ]
            ],
        },
    ]
    config = {
        "class_name": "Functional",
        "config": {"name": "g", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["cut", 0, 0]]},
        "keras_version": "2.9.0",
    }
    model = keras.models.model_from_config(config)
    x = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(np.asarray(model(x)), (x * 3)[:, 1:3])


def test_calls_of_models_within_models_are_counted_from_one_or_from_zero():
    inner = entry(
        "Sequential",
        name="in",
        layers=[
            entry("InputLayer", batch_input_shape=[None, 4], dtype="float32", name="i"),
            entry("Dense", name="d", units=2, activation="linear", use_bias=False),
        ],
    )
    for first in (0, 1):
        layers = [
            {
                **entry("InputLayer", name=n, batch_input_shape=[None, 4], dtype="float32"),
                "name": n,
                "inbound_nodes": [],
            }
            for n in "ab"
        ]
        layers.append({**inner, "name": "in", "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]})
        layers.append(
            {
                **entry("Subtract", name="s"),
                "name": "s",
                "inbound_nodes": [[["in", first, 0, {}], ["in", first + 1, 0, {}]]],
            }
        )
        config = {
            "class_name": "Model",
            "config": {
                "name": "g",
                "layers": layers,
                "output_layers": [["s", 0, 0]],
                "input_layers": [["a", 0, 0], ["b", 0, 0]],
            },
            "keras_version": "2.2.4",
        }
        model = keras.models.model_from_config(config)
        a, b = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
        kernel = model.get_weights()[0]
        np.testing.assert_allclose(np.asarray(model([a, b])), (a - b) @ kernel, rtol=1e-4, atol=1e-5)


def test_configs_of_today_pass_unchanged():
    config = keras.saving.serialize_keras_object(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    assert modernize(config, "3.15.1") is config
