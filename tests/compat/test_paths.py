"""The tables of old places: every row leads somewhere, and spellings of one thing lead to one home."""

from __future__ import annotations

import pytest

from hornbeam.compat import device_lib, paths


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
