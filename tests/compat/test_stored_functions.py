"""TensorFlow's functions in graphs of layers, as tf_keras stores them: one chain of calls, each against NumPy."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs.tf_functions import _FUNCTIONS, tf_function

pytestmark = pytest.mark.compat

X = np.linspace(-1.0, 2.0, 24, dtype="float32").reshape(2, 3, 4)
ALL = {"start": None, "stop": None, "step": None}
CALLS = [
    ("math.greater", {"y": 0, "name": None}, X > 0),
    ("math.truediv", {"y": 127.5}, X / 127.5),
    ("math.floormod", {"y": 0.7}, np.mod(X, np.float32(0.7))),
    ("math.l2_normalize", {"axis": -1}, X / np.sqrt((X * X).sum(-1, keepdims=True))),
    ("math.reduce_euclidean_norm", {"axis": 1}, np.sqrt((X * X).sum(1))),
    ("math.cumsum", {"axis": 1}, X.cumsum(1)),
    ("math.add_n", {}, X),
    ("math.argmax", {"axis": -1}, X.argmax(-1)),
    ("nn.leaky_relu", {"alpha": 0.3}, np.where(X > 0, X, X * np.float32(0.3))),
    ("nn.bias_add", {"bias": [1.0, 2.0, 3.0, 4.0]}, X + np.arange(1, 5, dtype="float32")),
    ("compat.v1.transpose", {"perm": [0, 2, 1], "name": "transpose", "conjugate": False}, X.transpose(0, 2, 1)),
    ("compat.v1.pad", {"paddings": [[0, 0], [1, 1], [0, 2]], "mode": "CONSTANT", "constant_values": 2},
     np.pad(X, [[0, 0], [1, 1], [0, 2]], constant_values=2)),
    ("compat.v1.reduce_sum", {"axis": 1, "keep_dims": True}, X.sum(1, keepdims=True)),
    ("compat.v1.gather", {"indices": [2, 0], "validate_indices": None, "axis": 1, "batch_dims": 0}, X[:, [2, 0]]),
    ("concat", {"axis": 1}, X),
    ("reshape", {"shape": [-1, 12]}, X.reshape(-1, 12)),
    ("tile", {"multiples": [1, 2, 1]}, np.tile(X, [1, 2, 1])),
    ("slice", {"begin": [0, 1, 0], "size": [-1, 2, 2]}, X[:, 1:, :2]),
    ("__operators__.getitem", {"slice_spec": [{"class_name": "__ellipsis__"}, 0]}, X[..., 0]),
    ("__operators__.getitem", {"slice_spec": [ALL, -1, {"start": 1, "stop": None, "step": 2}]}, X[:, -1, 1::2]),
]  # fmt: skip


def stored(symbol, kwargs):
    """A model whose only layer calls a function."""
    kind = "SlicingOpLambda" if symbol.endswith("getitem") else "TFOpLambda"
    call = {
        "class_name": kind,
        "config": {"name": "call", "trainable": True, "dtype": "float32", "function": symbol},
        "name": "call",
        "inbound_nodes": [["x", 0, 0, kwargs]],
    }
    inputs = {"batch_input_shape": [None, 3, 4], "dtype": "float32", "sparse": False, "ragged": False, "name": "x"}
    entry = {"class_name": "InputLayer", "config": inputs, "name": "x", "inbound_nodes": []}
    graph = {"name": "g", "layers": [entry, call], "input_layers": [["x", 0, 0]], "output_layers": [["call", 0, 0]]}
    return {"class_name": "Functional", "config": graph, "keras_version": "2.15.0"}


@pytest.mark.parametrize(("symbol", "kwargs", "expected"), CALLS)
def test_calls(symbol, kwargs, expected):
    model = keras.models.model_from_config(stored(symbol, kwargs))
    received = np.asarray(model(X))
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_every_function_of_the_table_is_there():
    missing = []
    for group, (_, names) in _FUNCTIONS.items():
        for name in names.split():
            symbol = f"{group}.{name}" if group else name
            if not callable(tf_function(symbol)):
                missing.append(symbol)
    assert missing == []


@pytest.mark.parametrize(
    "symbol", ["io.read_file", "py_function", "numpy_function", "print", "__class__", "nn.__init__"]
)
def test_what_is_not_in_the_table_is_refused(symbol):
    with pytest.raises(UnsupportedFileError, match="not in the table"):
        keras.models.model_from_config(stored(symbol, {}))


def test_old_resizing_takes_corners_as_places():
    resize = tf_function("compat.v1.image.resize_bilinear")
    image = np.arange(8, dtype="float32").reshape(1, 2, 4, 1)
    np.testing.assert_allclose(np.asarray(resize(image, [2, 8]))[0, 0, :, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3])
    np.testing.assert_allclose(np.asarray(resize(image, [2, 7], align_corners=True))[0, 0, :, 0], np.arange(7) / 2)
