"""Folders with pictures that cannot be read: named, or left out and counted."""

import logging

import numpy as np
import pytest
from PIL import Image

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(4):
            Image.new("RGB", (6, 5), (40 * i, 0, 9)).save(tmp_path / label / f"{i}.png")
    whole = (tmp_path / "a" / "1.png").read_bytes()
    (tmp_path / "a" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b" / "2.png").write_bytes(b"no picture")
    return tmp_path


def _dataset(folder, batch_size=3):
    return keras.utils.image_dataset_from_directory(
        str(folder), image_size=(4, 4), batch_size=batch_size, shuffle=False, verbose=False
    )


def test_a_bad_picture_is_named(folder):
    with pytest.raises(DataError, match=r"a/1\.png"):
        list(_dataset(folder))


@pytest.mark.parametrize("batch_size", [3, None])
def test_bad_pictures_are_left_out_and_counted_when_asked(folder, batch_size, caplog):
    dataset = _dataset(folder, batch_size).ignore_errors(log_warning=True)
    dataset = dataset.prefetch(1) if batch_size else dataset.batch(3)
    assert dataset.left_out == 0
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            found = list(dataset.as_numpy_iterator())
        assert dataset.left_out == 2
        reds = np.concatenate([pictures[:, 0, 0, 0] for pictures, _ in found])
        np.testing.assert_array_equal(reds, [0, 80, 120, 0, 40, 120])
        np.testing.assert_array_equal(np.concatenate([labels for _, labels in found]), [0, 0, 0, 1, 1, 1])
    assert "1.png" in caplog.text
    assert "2.png" in caplog.text


def test_elements_that_fail_in_a_map_are_counted():
    def check(x):
        return tf.debugging.check_numerics(1.0 / x, "bad")

    dataset = tf.data.Dataset.from_tensor_slices([1.0, 0.0, 4.0]).map(check).ignore_errors().batch(2)
    assert [batch.tolist() for batch in dataset.as_numpy_iterator()] == [[1.0, 0.25]]
    assert dataset.left_out == 1
