"""The first thing a user runs: it learns, says so, and draws."""

from __future__ import annotations

import pytest

from tests.structure.source_tree import ROOT

if not (ROOT / "hornbeam" / "keras" / "__init__.py").exists():
    pytest.skip("hornbeam.keras is not there yet", allow_module_level=True)

from hornbeam.cli import quickstart


@pytest.mark.train
def test_it_learns_the_digits_and_draws_how(tmp_path, capsys):
    picture = tmp_path / "curves.png"
    assert quickstart.main(["--epochs", "12", "--picture", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert "4,810 weights" in out and "Epoch 12/12" in out


def test_digits_are_in_the_unit_interval_and_all_there():
    images, names = quickstart.digits()
    assert images.shape == (1797, 8, 8) and images.dtype == "float32"
    assert images.min() == 0.0 and images.max() == 1.0
    assert set(names) == set(range(10))


def test_too_little_training_is_a_finding(monkeypatch, capsys):
    monkeypatch.setattr(quickstart, "train", lambda epochs: (_Model(), {}, 0.5))
    assert quickstart.main(["--picture", ""]) == 1
    assert "50.0% right" in capsys.readouterr().out


class _Model:
    def count_params(self) -> int:
        return 1
