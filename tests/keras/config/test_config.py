"""The settings of the process behave as those of Keras."""

import os
import subprocess
import sys

import keras
import pytest

from hornbeam.base import settings
from hornbeam.base.errors import NotSupportedError
from hornbeam.keras import config


@pytest.fixture(autouse=True)
def settings_as_before():
    before = dict(settings._values)
    yield
    settings._values.clear()
    settings._values.update(before)


def test_public_names_are_those_of_keras():
    assert set(config.__all__) == {name for name in vars(keras.config) if not name.startswith("_")}


def test_defaults_are_those_of_keras():
    for name in ("floatx", "epsilon", "image_data_format", "max_epochs", "max_steps_per_epoch", "backend"):
        assert getattr(config, name)() == getattr(keras.config, name)(), name
    for name in ("flash_attention", "interactive_logging", "nnx", "traceback_filtering"):
        assert getattr(config, f"is_{name}_enabled")() == getattr(keras.config, f"is_{name}_enabled")(), name


@pytest.mark.parametrize(
    ("name", "value"),
    [("floatx", "float16"), ("epsilon", 1e-3), ("image_data_format", "channels_first"), ("max_epochs", 3)],
)
def test_values_are_set(name, value):
    getattr(config, f"set_{name}")(value)
    assert getattr(config, name)() == value


@pytest.mark.parametrize(("name", "value"), [("floatx", "float8"), ("image_data_format", "channels_middle")])
def test_wrong_values_are_refused_as_in_keras(name, value):
    for package in (config, keras.config):
        with pytest.raises(ValueError):
            getattr(package, f"set_{name}")(value)


@pytest.mark.parametrize(
    ("name", "off"), [("flash_attention", False), ("interactive_logging", False), ("traceback_filtering", False)]
)
def test_switches(name, off):
    on = getattr(config, f"is_{name}_enabled")()
    getattr(config, f"disable_{name}")()
    assert getattr(config, f"is_{name}_enabled")() is off
    getattr(config, f"enable_{name}")()
    assert getattr(config, f"is_{name}_enabled")() is on


def test_what_has_one_position_only():
    config.set_backend("jax")
    with pytest.raises(NotSupportedError, match="one backend"):
        config.set_backend("torch")
    with pytest.raises(NotSupportedError, match="safe_mode=False"):
        config.enable_unsafe_deserialization()


def test_limits_from_the_environment():
    code = "from hornbeam.keras import config as c; print(c.max_epochs(), c.max_steps_per_epoch())"
    environment = {**os.environ, "KERAS_MAX_EPOCHS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "None"]
