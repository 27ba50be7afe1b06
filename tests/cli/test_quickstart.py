"""The first thing a user runs: it learns, saves, reads back, draws, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.cli import quickstart


@pytest.mark.train
def test_it_learns_saves_reloads_and_draws(tmp_path, capsys):
    picture, model = tmp_path / "curves.png", tmp_path / "digits.keras"
    assert quickstart.main(["--picture", str(picture), "--model", str(model)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert model.read_bytes().startswith(b"PK")
    out = capsys.readouterr().out
    assert "38,282 weights" in out and "Epoch 20/20" in out and "identical" in out and "hornbeam run" in out


def test_digits_are_real_disjoint_and_in_the_unit_interval():
    (x_train, y_train), (x_test, y_test) = quickstart.digits()
    assert x_train.shape == (1437, 8, 8, 1) and x_test.shape == (360, 8, 8, 1) and x_train.dtype == "float32"
    assert x_train.min() == 0.0 and x_train.max() == 1.0
    assert set(y_train) == set(y_test) == set(range(10))


def test_too_little_training_is_a_finding(monkeypatch, capsys, tmp_path):
    # Two labels exchanged: nothing can be learned from them that holds for the test digits.
    (x_train, y_train), test = quickstart.digits()
    shuffled = np.random.default_rng(0).permutation(y_train)
    monkeypatch.setattr(quickstart, "digits", lambda: ((x_train, shuffled), test))
    words = ["--epochs", "1", "--picture", "", "--model", str(tmp_path / "m.keras")]
    assert quickstart.main(words) == 1
    assert "more --epochs" in capsys.readouterr().out
