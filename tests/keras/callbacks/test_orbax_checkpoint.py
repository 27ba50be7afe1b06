"""Checkpoints written with Orbax; needs the `orbax` extra."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from tests.keras.trainers.small import X, Y, model


@pytest.mark.filterwarnings("ignore")
def test_each_epoch(tmp_path):
    orbax = pytest.importorskip("orbax.checkpoint", reason="needs the `orbax` extra")
    net = model(optimizer="adam")
    saver = keras.callbacks.OrbaxCheckpoint(tmp_path / "c", max_to_keep=2)
    net.fit(X, Y, epochs=3, verbose=0, callbacks=[saver])
    with orbax.CheckpointManager(tmp_path / "c") as manager:
        assert list(manager.all_steps()) == [1, 2]
        tree = manager.restore(2, args=orbax.args.StandardRestore())
    other = model(seed=5, optimizer="adam")
    other.fit(X, Y, verbose=0)
    wanted = net.get_state_tree("numpy_array")
    assert set(tree) == set(wanted)
    flat = keras.tree.flatten(wanted["trainable_variables"])
    for one, found in zip(flat, keras.tree.flatten(tree["trainable_variables"]), strict=True):
        np.testing.assert_array_equal(one, found)
    with pytest.raises(ValueError, match="save_freq"):
        keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq=0)


def test_without_orbax_there_is_advice(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match=r"hornbeam\[orbax\]"):
        keras.callbacks.OrbaxCheckpoint(tmp_path)
