"""Configs in Keras's form: written alike, read from each other, and closed to anything unknown."""

import json
import threading

import keras
import numpy as np
import pytest

from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras import activations, constraints, dtype_policies, regularizers, saving
from hornbeam.keras.saving import registration
from hornbeam.keras.saving.scopes import ObjectSharingScope, SafeModeScope, in_safe_mode

ours_of, theirs_of = saving.serialize_keras_object, keras.saving.serialize_keras_object

PLAIN = [
    None,
    3,
    2.5,
    "text",
    True,
    [1, [2.0, "a"]],
    (1, (2, 3)),
    {"a": (1, 2), "b": None},
    b"bytes",
    slice(1, None, 2),
    Ellipsis,
    np.arange(6, dtype="float32").reshape(2, 3),
    np.array([True, False]),
    np.float32(1.5),
    np.int64(7),
    np.array(3.0),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_and_special_values_are_written_as_keras_does(value):
    config = ours_of(value)
    assert config == theirs_of(value)
    assert type(config) is type(theirs_of(value))
    again, theirs = saving.deserialize_keras_object(config), keras.saving.deserialize_keras_object(config)
    np.testing.assert_equal(again, theirs)
    assert type(again) is type(theirs)


def test_tensors():
    value = np.array([[1.5, 2.0]], dtype="float32")
    config = ours_of(from_host(value))
    assert config == theirs_of(keras.ops.convert_to_tensor(value))
    again = saving.deserialize_keras_object(config)
    assert isinstance(again, Tensor)
    assert again.dtype == "float32"
    np.testing.assert_array_equal(again, value)
    half = saving.deserialize_keras_object(ours_of(from_host(value.astype("float16"))))
    assert half.dtype == "float16"


def test_symbolic_tensors():
    config = ours_of(KerasTensor((None, 3), dtype="int32"))
    assert config == theirs_of(keras.KerasTensor((None, 3), dtype="int32"))
    again = saving.deserialize_keras_object(config)
    assert (again.shape, again.dtype) == ((None, 3), "int32")


def test_dtypes_and_shapes_become_plain():
    tensor = from_host(np.zeros((2, 3), "float32"))
    config = ours_of({"dtype": tensor.dtype, "shape": tensor.shape})
    assert config == {"dtype": "float32", "shape": [2, 3]}
    assert type(config["dtype"]) is str
    assert type(config["shape"]) is list


def test_an_array_of_text_is_refused():
    with pytest.raises(ValueError, match="Invalid dtype"):
        ours_of(np.array(["a", "b"]))


# --- objects -------------------------------------------------------------------------------------
OBJECTS = [
    (regularizers.L1(0.3), keras.regularizers.L1(0.3)),
    (regularizers.L1L2(0.1, 0.2), keras.regularizers.L1L2(0.1, 0.2)),
    (constraints.MaxNorm(3, [0, 1]), keras.constraints.MaxNorm(3, [0, 1])),
    (constraints.NonNeg(), keras.constraints.NonNeg()),
    (dtype_policies.DTypePolicy("mixed_bfloat16"), keras.dtype_policies.DTypePolicy("mixed_bfloat16")),
    (activations.relu, keras.activations.relu),
    (activations.swish, keras.activations.swish),
]


@pytest.mark.parametrize(("ours", "theirs"), OBJECTS, ids=lambda one: getattr(one, "__name__", type(one).__name__))
def test_objects_are_written_as_keras_does(ours, theirs):
    config = ours_of({"nested": [ours]})
    assert config == theirs_of({"nested": [theirs]})
    through_json = json.loads(json.dumps(config))
    assert ours_of(saving.deserialize_keras_object(through_json)) == config
    assert theirs_of(keras.saving.deserialize_keras_object(through_json)) == config


@pytest.mark.parametrize(
    "module",
    [
        "keras.regularizers",
        "keras.src.regularizers.regularizers",
        "keras.api.regularizers",
        "tensorflow.keras.regularizers",
        "tensorflow.python.keras.regularizers",
        "tf_keras.src.regularizers",
        "keras.api._v2.keras.regularizers",
    ],
)
def test_module_spellings(module):
    config = {"module": module, "class_name": "L2", "config": {"l2": 0.25}, "registered_name": None}
    assert saving.deserialize_keras_object(config).l2 == 0.25


def test_class_name_alone():
    assert saving.deserialize_keras_object({"class_name": "L2", "config": {"l2": 0.5}}).l2 == 0.5
    root = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}, "registered_name": None}
    assert saving.deserialize_keras_object(root).name == "float16"


def test_functions_by_name():
    config = {"module": "builtins", "class_name": "function", "config": "gelu", "registered_name": "function"}
    assert saving.deserialize_keras_object(config) is activations.gelu


def test_tuples_of_older_files():
    config = {"class_name": "__tuple__", "items": [1, {"class_name": "__tuple__", "items": [2, 3]}]}
    assert saving.deserialize_keras_object(config) == (1, (2, 3))


# --- own classes ---------------------------------------------------------------------------------
class Scale:
    def __init__(self, factor=1.0, inner=None):
        self.factor = factor
        self.inner = inner
        self.built = False

    def get_config(self):
        return {"factor": self.factor, "inner": saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["inner"] = saving.deserialize_keras_object(config["inner"])
        return cls(**config)

    def get_build_config(self):
        return {"input_shape": (None, 3)}

    def build_from_config(self, config):
        self.shape = config["input_shape"]


def double(x):
    return x * 2


@pytest.fixture
def clean_registry():
    before = dict(saving.get_custom_objects()), dict(registration._names)
    yield
    for table, content in zip((saving.get_custom_objects(), registration._names), before, strict=True):
        table.clear()
        table.update(content)


def test_unregistered_classes_are_found_when_passed():
    config = ours_of(Scale(2.0, Scale(3.0)))
    assert config["registered_name"] == "Scale"
    assert config["module"] == __name__
    assert config["build_config"] == {"input_shape": (None, 3)}
    with pytest.raises(TypeError, match="Could not locate class 'Scale'"):
        saving.deserialize_keras_object(config)
    again = saving.deserialize_keras_object(config, custom_objects={"Scale": Scale})
    assert (again.factor, again.inner.factor) == (2.0, 3.0)
    assert again.built
    assert again.shape == (None, 3)
    with saving.custom_object_scope({"Scale": Scale}):
        assert saving.deserialize_keras_object(config).inner.factor == 3.0


@pytest.mark.usefixtures("clean_registry")
def test_registered_classes_and_functions():
    known = saving.register_keras_serializable("tests", name="Factor")(Scale)
    assert known is Scale
    assert saving.get_registered_name(Scale) == "tests>Factor"
    assert saving.get_registered_object("tests>Factor") is Scale
    config = ours_of(Scale(4.0))
    assert config["registered_name"] == "tests>Factor"
    assert saving.deserialize_keras_object(config).factor == 4.0
    saving.register_keras_serializable()(double)
    config = ours_of(double)
    assert config["config"] == "Custom>double"
    assert saving.deserialize_keras_object(config) is double
    # Early Keras 3 wrote the bare name.
    assert saving.deserialize_keras_object({**config, "config": "double"}) is double
    assert activations.get("Custom>double") is double
    assert activations.serialize(double) == config
    with pytest.raises(ValueError, match="get_config"):
        saving.register_keras_serializable()(type("NoConfig", (), {}))


def test_scopes_nest_and_close():
    with saving.CustomObjectScope({"a": 1}):
        with saving.CustomObjectScope({"b": 2}):
            assert saving.get_registered_object("a") == 1
            assert saving.get_registered_object("b") == 2
        assert saving.get_registered_object("b") is None
        seen = []
        thread = threading.Thread(target=lambda: seen.append(saving.get_registered_object("a")))
        thread.start()
        thread.join()
        assert seen == [None]
    assert saving.get_registered_object("a") is None


def test_objects_without_config_are_refused():
    with pytest.raises(TypeError, match="give its class a `get_config"):
        ours_of(object())


def test_a_wrong_config_names_the_class():
    config = {"module": "keras.regularizers", "class_name": "L2", "config": {"l3": 1.0}, "registered_name": None}
    with pytest.raises(TypeError, match="could not be deserialized properly"):
        saving.deserialize_keras_object(config)


def test_shared_objects_stay_one():
    shared = Scale(5.0)
    with ObjectSharingScope():
        config = json.loads(json.dumps(ours_of([shared, shared, Scale(5.0)])))
    assert config[0]["shared_object_id"] == config[1]["shared_object_id"]
    assert "shared_object_id" not in config[2]
    with ObjectSharingScope():
        first, second, third = saving.deserialize_keras_object(config, {"Scale": Scale})
    assert first is second
    assert third is not first


def test_type_specs_of_unknown_kinds_are_refused():
    config = {
        "class_name": "__typespec__",
        "spec_name": "NoSuchSpec",
        "module": "os",
        "config": [[2], "float32"],
        "registered_name": None,
    }
    with pytest.raises(ValueError, match="NoSuchSpec"):
        saving.deserialize_keras_object(config)


@pytest.mark.parametrize("marker", ["__numpy__", "__tensor__", "__slice__", "__bytes__", "__keras_tensor__"])
def test_incomplete_special_values_are_refused(marker):
    with pytest.raises(CorruptFileError, match="not complete"):
        saving.deserialize_keras_object({"class_name": marker, "config": {}})


# --- lambdas and safe mode -----------------------------------------------------------------------
def _lambda_config():
    offset = 10
    with pytest.warns(UserWarning, match="lambda"):
        return ours_of(lambda x, step=2: x * step + offset)


def test_lambdas_need_safe_mode_off():
    config = _lambda_config()
    with pytest.raises(UnsafeFileError, match="safe_mode=False"):
        saving.deserialize_keras_object(config)
    function = saving.deserialize_keras_object(json.loads(json.dumps(config)), safe_mode=False)
    assert function(3) == 16
    assert function(3, 1) == 13


def test_lambdas_of_keras_are_read():
    with pytest.warns(UserWarning, match="lambda"):
        config = theirs_of(lambda x: x + 1)
    assert saving.deserialize_keras_object(config, safe_mode=False)(4) == 5


def test_the_outer_call_decides_about_safe_mode():
    config = _lambda_config()
    assert in_safe_mode()
    with SafeModeScope(True), pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(config, safe_mode=False)
    with SafeModeScope(False):
        assert not in_safe_mode()
        assert saving.deserialize_keras_object(config)(1) == 12
        seen = []
        thread = threading.Thread(target=lambda: seen.append(in_safe_mode()))
        thread.start()
        thread.join()
        assert seen == [True]


def test_damaged_bytecode_is_refused():
    for code in ("AAAA", "not base64 !", ""):
        config = {"class_name": "__lambda__", "config": {"value": [code, None, None]}}
        with pytest.raises(CorruptFileError, match="lambda"):
            saving.deserialize_keras_object(config, safe_mode=False)
