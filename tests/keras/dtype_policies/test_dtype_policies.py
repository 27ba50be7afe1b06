"""Dtype policies: names, configs, maps, casting of inputs, the global policy."""

import keras
import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.keras import config, dtype_policies, mixed_precision, utils

NAMES = ["float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16", "int32", "bool"]


@pytest.fixture(autouse=True)
def settings_as_before():
    before = settings.floatx()
    yield
    settings.set_floatx(before)
    utils.clear_session(free_memory=False)


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    ours, theirs = dtype_policies.DTypePolicy(name), keras.dtype_policies.DTypePolicy(name)
    assert (ours.name, ours.compute_dtype, ours.variable_dtype) == (
        theirs.name,
        theirs.compute_dtype,
        theirs.variable_dtype,
    )
    assert ours.quantization_mode is None
    assert repr(ours) == repr(theirs)
    stored = dtype_policies.serialize(ours)
    assert stored == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(stored) == ours
    assert keras.dtype_policies.deserialize(stored) == theirs
    assert dtype_policies.get(stored) == ours


def test_equality():
    one, other = dtype_policies.DTypePolicy("float16"), dtype_policies.FloatDTypePolicy("float16")
    assert one == other
    assert one != dtype_policies.DTypePolicy("float32")
    assert one != "float16"
    assert len({one, dtype_policies.DTypePolicy("float16")}) == 1
    stored = dtype_policies.serialize(other)
    assert stored == keras.dtype_policies.serialize(keras.dtype_policies.FloatDTypePolicy("float16"))
    assert type(dtype_policies.deserialize(stored)) is dtype_policies.FloatDTypePolicy


def test_get():
    assert dtype_policies.get(None).name == "float32"
    assert dtype_policies.get(np.float16).name == "float16"
    assert dtype_policies.get(from_host(np.zeros(2, "float16")).dtype).name == "float16"
    policy = dtype_policies.DTypePolicy("mixed_float16")
    assert dtype_policies.get(policy) is policy
    with pytest.raises(ValueError, match="no dtype policy 'float31'"):
        dtype_policies.get("float31")
    with pytest.raises(ValueError, match="Cannot interpret `dtype`"):
        dtype_policies.get(object())
    with pytest.raises(TypeError, match="must be a string"):
        dtype_policies.DTypePolicy(3)


@pytest.mark.parametrize(
    "name",
    [
        "int8_from_float32",
        "int8_from_mixed_bfloat16",
        "int4_from_float32",
        "int4/128_from_float32",
        "int4/-1_from_bfloat16",
        "float8_from_float32",
        "gptq/4/128_from_float32",
        "awq/4/-1_from_float32",
    ],
)
def test_quantised_policies(name):
    ours, theirs = dtype_policies.get(name), keras.dtype_policies.get(name)
    for attribute in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.get_config() == theirs.get_config()
    assert repr(ours) == repr(theirs)
    assert dtype_policies.deserialize(dtype_policies.serialize(ours)) == ours
    assert dtype_policies.get(keras.dtype_policies.serialize(theirs)) == ours


@pytest.mark.parametrize(
    "make",
    [
        lambda: dtype_policies.get("int8_from_float16"),
        lambda: dtype_policies.DTypePolicy("gptq/4/128_from_float32"),
        lambda: dtype_policies.QuantizedDTypePolicy("int5", "float32"),
        lambda: dtype_policies.Int4DTypePolicy("int4/0"),
        lambda: dtype_policies.Int4DTypePolicy("int4/many"),
        lambda: dtype_policies.GPTQDTypePolicy("gptq/5/128"),
        lambda: dtype_policies.AWQDTypePolicy("awq/8/128"),
        lambda: dtype_policies.AWQDTypePolicy("awq/4"),
    ],
)
def test_quantised_policies_are_checked(make):
    with pytest.raises(ValueError, match=r"mode|float16|quantised"):
        make()


def test_the_global_policy():
    assert config.dtype_policy().name == "float32"
    config.set_floatx("bfloat16")
    assert config.dtype_policy().name == "bfloat16"
    mixed_precision.set_global_policy("mixed_float16")
    assert mixed_precision.global_policy().compute_dtype == "float16"
    assert dtype_policies.DTypePolicy().name == "mixed_float16"
    assert dtype_policies.get(None).name == "mixed_float16"
    config.set_dtype_policy(mixed_precision.Policy("float64"))
    assert config.dtype_policy().name == "float64"
    utils.clear_session()
    assert config.dtype_policy().name == "bfloat16"
    with pytest.raises(ValueError, match="name, for example"):
        config.set_dtype_policy(3)


def test_inputs_are_cast():
    policy = dtype_policies.DTypePolicy("mixed_float16")
    floats, ints = np.ones((2, 3), "float32"), np.ones((2, 3), "int32")
    assert policy.convert_input(from_host(floats), True, "float16").dtype == "float16"
    assert policy.convert_input(from_host(floats), False, "float16").dtype == "float32"
    assert policy.convert_input(from_host(ints), True, "float16").dtype == "int32"
    assert policy.convert_input(floats, True, "float16").dtype == "float16"
    assert policy.convert_input(KerasTensor((None, 3)), True, "float16").dtype == "float16"
    same = from_host(floats)
    assert policy.convert_input(same, True, "float32") is same
    assert policy.convert_input("text", True, "float16") == "text"


def filled(package):
    policies = package.DTypePolicyMap("float32")
    policies["encoder/.*"] = package.DTypePolicy("bfloat16")
    policies["encoder/head"] = "float16"
    return policies


def test_maps():
    ours, theirs = filled(dtype_policies), filled(keras.dtype_policies)
    for path in ("encoder/head", "encoder/layer/dense", "encoder", "decoder"):
        assert ours[path].name == theirs[path].name
    assert (ours.name, ours.compute_dtype, ours.variable_dtype) == (
        theirs.name,
        theirs.compute_dtype,
        theirs.variable_dtype,
    )
    assert list(ours) == list(theirs)
    assert "encoder/head" in ours
    assert "decoder" not in ours
    stored = dtype_policies.serialize(ours)
    assert stored == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(stored) == ours
    assert dtype_policies.deserialize(stored) != dtype_policies.DTypePolicyMap("float32")
    del ours["encoder/head"]
    assert len(ours) == 1
    with pytest.raises(ValueError, match="already has the policy"):
        ours["encoder/.*"] = "float32"
    with pytest.raises(ValueError, match="expected a policy or the name"):
        ours["x"] = object()
    ours["enc.*"] = "float16"
    with pytest.raises(ValueError, match="expected one pattern"):
        ours["encoder/a"]
    with pytest.raises(ValueError, match="cannot be a `DTypePolicyMap`"):
        dtype_policies.DTypePolicyMap(ours)
    with pytest.raises(TypeError, match="expected a dict"):
        dtype_policies.DTypePolicyMap(policy_map=[1])


def test_a_map_without_default_is_stored_without_names():
    ours, theirs = dtype_policies.DTypePolicyMap(), keras.dtype_policies.DTypePolicyMap()
    ours["a"], theirs["a"] = "float16", "float16"
    stored = dtype_policies.serialize(ours)
    assert stored == keras.dtype_policies.serialize(theirs)
    assert ours["a"].name == "float16"
    assert dtype_policies.deserialize(stored)["a"].name == "float32"


def test_public_names_include_those_of_keras():
    assert set(dtype_policies.__all__) >= {n for n in vars(keras.dtype_policies) if not n.startswith("_")}
    assert set(mixed_precision.__all__) >= {n for n in vars(keras.mixed_precision) if not n.startswith("_")}
    with pytest.raises(AttributeError):
        mixed_precision.nothing  # noqa: B018
