"""The doctor's report: complete, JSON-serialisable, and able to see an illness."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import jax
import pytest

from hornbeam import cli
from hornbeam.cli import doctor
from hornbeam.engine import onednn
from hornbeam.version import __version__
from tests.structure.source_tree import modules, parsed


def test_json_report_of_a_healthy_install(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["hornbeam"] == __version__
    assert found["packages"]["jax"] == jax.__version__
    assert [device["name"] for device in found["devices"]] == [str(device) for device in jax.devices()]
    assert all(device["error"] < 1e-5 for device in found["devices"] if device["kind"] == "cpu")
    assert set(found["extras"]) == set(doctor.EXTRAS)


def test_text_report_names_every_part(capsys):
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    for word in (*doctor.CORE, *doctor.EXTRAS, "devices", "computes right"):
        assert word in text
    assert text.rstrip().endswith("all well")
    assert "\x1b" not in text


def test_a_missing_core_package_is_a_finding(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "installed", lambda package: None if package == "h5py" else "1.0")
    assert doctor.main([]) == 1
    text = capsys.readouterr().out
    assert "MISSING" in text and text.rstrip().endswith("something is wrong, see above")


def test_kernels_that_cannot_be_loaded_are_a_finding(monkeypatch, capsys):
    for text, status in ((f"{onednn.BROKEN}: no libgomp", 1), ("switched off by HORNBEAM_ONEDNN", 0)):
        monkeypatch.setattr(onednn, "status", lambda text=text: (False, text))
        assert doctor.main([]) == status
        assert text in capsys.readouterr().out


def test_a_reader_that_has_seen_enough():
    program = "import sys; from hornbeam import cli; sys.exit(cli.main(['doctor']))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        text = process.stderr.read().decode()
    assert process.returncode == 0 and "BrokenPipe" not in text


def test_a_device_that_computes_wrong_is_a_finding(monkeypatch):
    monkeypatch.setattr(doctor, "_gradient_error", lambda device: 0.5)
    report = doctor.check_device(jax.devices()[0])
    assert report["ok"] is False and report["error"] == 0.5 and report["problem"] is None


def test_a_device_that_fails_is_a_finding_with_its_words(monkeypatch):
    def fail(device):
        raise RuntimeError("driver went away")

    monkeypatch.setattr(doctor, "_gradient_error", fail)
    report = doctor.check_device(jax.devices()[0])
    assert report["ok"] is False and report["problem"] == "RuntimeError: driver went away"


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"]])
def test_wrong_usage_exits_with_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    assert "hornbeam" in capsys.readouterr().err


def test_every_command_names_a_module_with_a_main():
    for module, line in cli.COMMANDS.values():
        functions = {node.name for node in parsed(modules()[module]).body if isinstance(node, ast.FunctionDef)}
        assert "main" in functions
        assert line and line[0].islower() and not line.endswith(".")


def test_version_and_overview(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"hornbeam {__version__} ")
    assert cli.main([]) == 2
    listing = capsys.readouterr().out
    assert all(name in listing for name in cli.COMMANDS)
