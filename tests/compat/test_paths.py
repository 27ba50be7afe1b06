"""The tables of old places: every row leads somewhere, and spellings of one thing lead to one home."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat import device_lib, inner_names, paths


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("tensorflow", "hornbeam"),
        ("tensorflow.data", "hornbeam.data"),
        ("tensorflow.keras", "hornbeam.keras"),
        ("tensorflow.keras.layers", "hornbeam.keras.layers"),
        ("tensorflow.python.keras.layers", "hornbeam.keras.layers"),
        ("tensorflow.compat.v2", "hornbeam"),
        ("tensorflow.compat.v1", "hornbeam.compat.v1"),
        ("tensorflow.compat.v1.keras.layers", "hornbeam.keras.layers"),
        ("tensorflow._api.v2.v2.keras.models", "hornbeam.keras.models"),
        ("keras", "hornbeam.keras"),
        ("keras.api._v2.keras.layers", "hornbeam.keras.layers"),
        ("keras.src.utils", "hornbeam.keras.utils"),
        ("keras._tf_keras.keras.losses", "hornbeam.keras.losses"),
        ("tf_keras.preprocessing.image", "hornbeam.keras.preprocessing.image"),
        ("keras.optimizers.schedules", "hornbeam.keras.optimizers.schedules"),
        ("keras.saving", "hornbeam.keras.saving"),
        ("tensorflow.core.framework", None),
        ("tensorflow.saving", None),
    ],
)
def test_home_of_places_that_stayed(name, home):
    assert paths.moved(name) == []
    assert paths.home(name) == home


@pytest.mark.parametrize(
    ("name", "first_home"),
    [
        ("keras.utils.vis_utils", "hornbeam.keras.utils"),
        ("tensorflow.python.keras.utils.np_utils", "hornbeam.keras.utils"),
        ("tensorflow.keras.layers.experimental.preprocessing", "hornbeam.keras.layers"),
        ("keras.layers.core", "hornbeam.keras.layers"),
        ("keras.src.layers.merging.add", "hornbeam.keras.layers"),
        ("keras.engine.topology", "hornbeam.keras"),
        ("keras.src.engine.saving", "hornbeam.keras.models"),
        ("keras.objectives", "hornbeam.keras.losses"),
        ("tf_keras.optimizers.legacy.adam", "hornbeam.keras.optimizers"),
        ("keras.optimizers.adam", "hornbeam.keras.optimizers"),
        ("tensorflow.python.ops.math_ops", "hornbeam.math"),
        ("tensorflow.python.framework.ops", "hornbeam"),
        ("tensorflow.python", "hornbeam"),
        ("tensorflow.losses", "hornbeam.keras.losses"),
    ],
)
def test_homes_of_places_that_moved(name, first_home):
    homes = paths.moved(name)
    assert (homes[0] if homes else None) == first_home


def test_every_row_ends_in_a_place_that_stayed():
    """A row that leads to another row, or to itself, would hide what it means."""
    for old, homes in paths.MOVED.items():
        for home in homes.split():
            assert paths.moved(home) == [], f"{old} -> {home}"
            assert paths.spell(home) == home
        assert paths.spell(old) == old, f"{old} can never be asked for: a prefix rule comes first"


def test_no_place_is_both_moved_and_refused():
    assert not set(paths.MOVED) & set(paths.REFUSED)
    assert all(paths.advice(place) for place in paths.REFUSED)
    assert paths.advice("keras.layers") is None
    assert "tf.keras" in str(paths.advice("tensorflow.contrib.layers.python"))


def test_spelling_of_is_the_inverse_of_home():
    assert paths.spelling_of("hornbeam.keras.layers") == "keras.layers"
    assert paths.spelling_of("hornbeam.data") == "tensorflow.data"
    assert paths.spelling_of("hornbeam") == "tensorflow"
    assert paths.spelling_of("numpy") is None
    assert "np_utils" in paths.former_files("hornbeam.keras.utils")
    assert "objectives" in paths.former_files("hornbeam.keras")


def test_packages_that_were_apart():
    assert paths.home("keras_preprocessing.image") == "hornbeam.keras.preprocessing.image"
    assert paths.home("keras_applications.vgg16") == "hornbeam.keras.applications.vgg16"
    assert paths.moved("tensorflow.python.client.device_lib") == ["hornbeam.compat.device_lib"]
    devices = device_lib.list_local_devices()
    assert [device.device_type for device in devices if device.name == "/device:CPU:0"] == ["CPU"]


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("tensorflow.python.framework.errors_impl", "NotFoundError InvalidArgumentError"),
        ("tensorflow.python.framework.ops", "EagerTensor Tensor"),
        ("tensorflow.python.ops.init_ops_v2", "Zeros Ones TruncatedNormal glorot_normal"),
        ("tensorflow.python.ops.init_ops", "Zeros glorot_normal_initializer"),
        ("tensorflow.python.ops.lookup_ops", "StaticHashTable TextFileInitializer TextFileIndex"),
        ("tensorflow.python.ops.resource_variable_ops", "ResourceVariable"),
        ("tensorflow.python.ops.numpy_ops.np_config", "enable_numpy_behavior"),
        ("tensorflow.python.ops.losses.loss_reduction", "ReductionV2"),
        ("tensorflow.python.training.moving_averages", "assign_moving_average"),
        ("tensorflow.python.training.adam", "AdamOptimizer"),
        ("tensorflow.python.platform.gfile", "Exists Glob MakeDirs Open"),
        ("tensorflow.python.platform.tf_logging", "info set_verbosity"),
        ("tensorflow.python.data.ops.dataset_ops", "Dataset DatasetV2"),
        ("tensorflow.python.lib.io.file_io", "FileIO file_exists get_matching_files"),
        ("tensorflow.python.lib.io.tf_record", "TFRecordWriter"),
        ("tensorflow.python.keras.optimizer_v2.learning_rate_schedule", "LearningRateSchedule ExponentialDecay"),
        ("tensorflow.python.keras.optimizer_v2.optimizer_v2", "OptimizerV2"),
        ("tensorflow.python.keras.utils.losses_utils", "ReductionV2"),
        ("tensorflow.python.keras.layers.normalization.batch_normalization", "BatchNormalizationBase"),
        ("keras.src.layers.convolutional.base_conv", "BaseConv Conv"),
        ("keras.layers.convolutional", "_Conv Conv2D"),
        ("keras.src.optimizers.base_optimizer", "BaseOptimizer"),
        ("keras.saving.object_registration", "CustomObjectScope get_registered_name"),
        ("keras.saving.legacy.serialization", "serialize_keras_object"),
        ("keras.src.saving.serialization_lib", "deserialize_keras_object"),
    ],
)
def test_names_of_private_places(place, names):
    homes = [importlib.import_module(home) for home in paths.moved(place)]
    for name in names.split():
        assert any(hasattr(home, name) for home in homes), f"{place}.{name}"


def test_what_private_names_do(tmp_path):
    assert issubclass(keras.layers.Conv2D, inner_names.BaseConv) and inner_names.EagerTensor is tf.Tensor
    assert inner_names.ReductionV2 is keras.losses.Reduction and inner_names.ResourceVariable is tf.Variable
    variable = tf.Variable([1.0, 2.0])
    inner_names.assign_moving_average(variable, tf.constant([3.0, 6.0]), 0.75, zero_debias=False)
    np.testing.assert_allclose(variable, [1.5, 3.0])
    with pytest.raises(NotSupportedError, match="zero_debias=False"):
        inner_names.assign_moving_average(variable, variable, 0.5)
    gfile = tf.compat.v1.gfile
    gfile.MakeDirs(str(tmp_path / "a"))
    with gfile.Open(str(tmp_path / "a" / "b.txt"), "w") as file:
        file.write("x")
    assert gfile.Exists(str(tmp_path / "a" / "b.txt")) and gfile.ListDirectory(str(tmp_path / "a")) == ["b.txt"]
    assert [top for top, _, _ in gfile.Walk(str(tmp_path))] == [str(tmp_path), str(tmp_path / "a")]
