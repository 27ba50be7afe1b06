"""``plaidml-setup`` and ``plaidbench``."""

from __future__ import annotations

import io
import json
import re

import pytest

from hornbeam.base.errors import NotSupportedError
from hornbeam.cli import plaidml


def answer(monkeypatch, tmp_path, *lines):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    assert plaidml.setup([]) == 0


def test_one_device_is_not_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(plaidml, "device_names", lambda: ["llvm_cpu.0"])
    answer(monkeypatch, tmp_path, "y", "1", "y")
    out = capsys.readouterr().out
    assert "Enable experimental device support? (y,n)[n]:" in out and "choose a default device" not in out
    found = json.loads((tmp_path / ".plaidml").read_text())
    assert found == {"PLAIDML_DEVICE_IDS": ["llvm_cpu.0"], "PLAIDML_EXPERIMENTAL": True}


def test_several_devices_and_defaults(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(plaidml, "device_names", lambda: ["llvm_cpu.0", "cuda_card.0"])
    answer(monkeypatch, tmp_path, "maybe", "", "2", "")
    out = capsys.readouterr().out
    assert out.count("Enable experimental") == 2 and "   2 : cuda_card.0" in out and "Default device? (1,2)[1]:" in out
    assert json.loads((tmp_path / ".plaidml").read_text())["PLAIDML_DEVICE_IDS"] == ["cuda_card.0"]


def test_settings_are_not_saved_against_the_answer(monkeypatch, tmp_path):
    monkeypatch.setattr(plaidml, "device_names", lambda: ["llvm_cpu.0"])
    answer(monkeypatch, tmp_path, "n", "n")
    assert not (tmp_path / ".plaidml").exists()


def test_a_network_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(plaidml, "_measure", lambda network, examples, batch: (1.5, 0.25))
    assert plaidml.bench(["--examples", "8", "--batch-size", "4", "keras", "mobilenet"]) == 0
    out = capsys.readouterr().out
    assert "Running 8 examples with mobilenet, batch size 4" in out
    assert re.search(r"elapsed: 1\.500s \(compile\), 0\.250s \(execution\)", out)
    with pytest.raises(NotSupportedError, match="fp16"):
        plaidml.bench(["keras", "--fp16", "mobilenet"])
    with pytest.raises(SystemExit):
        plaidml.bench(["keras", "lenet"])
