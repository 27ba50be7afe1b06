"""``hornbeam inspect``, ``verify`` and ``convert``."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.cli import convert, inspect, verify

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same trained model in every format."""
    folder = tmp_path_factory.mktemp("files")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.Dense(1)], name="m")
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4), "float32"), np.ones((4, 1), "float32"), verbose=0)
    model.save(folder / "m.keras")
    model.save(folder / "m.h5")
    model.save(folder / "folder", zipped=False)
    for name in ("w.weights.h5", "w.h5", "w.npz", "w.safetensors"):
        model.save_weights(folder / name)
    model.save_weights(folder / "s.weights.json", max_shard_size="60B")
    model.save(folder / "saved")
    model.save_weights(folder / "points" / "cp.ckpt")
    (folder / "a.json").write_text(model.to_json())
    (folder / "a.yaml").write_text(model.to_yaml())
    return folder, model


NAMES = [
    "m.keras",
    "m.h5",
    "folder",
    "w.weights.h5",
    "w.h5",
    "w.npz",
    "w.safetensors",
    "s.weights.json",
    "a.json",
    "a.yaml",
    "saved",
    "points",
    "points/cp.ckpt",
    "points/cp.ckpt.index",
]


@pytest.mark.parametrize("name", NAMES)
def test_inspect_and_verify(files, capsys, name):
    path = str(files[0] / name)
    assert inspect.main([path]) == 0
    text = capsys.readouterr().out
    assert path in text
    assert inspect.main([path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] and found["problems"] == []
    if name[0] in "mwsfp":
        assert found["parameters"] == 4 * 3 + 3 + 3 + 1
    if name[0] in "mfa" or name == "saved":
        assert [one["class"] for one in found["layers"]][-2:] == ["Dense", "Dense"]
        assert "first" in text and found["producer"].startswith(("Keras 3", "Hornbeam"))
    if name[0] in "mfp" or name == "saved":
        assert found["compiled"]
    assert verify.main([path]) == 0
    assert "whole" in capsys.readouterr().out
    assert verify.main([path, "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["ok"] and checked["checked"] == checked["arrays"]


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.npz", "w.safetensors"])
def test_damage_is_reported(files, tmp_path, capsys, name):
    whole = (files[0] / name).read_bytes()
    position = whole.rfind(np.asarray(files[1].get_weights()[0]).tobytes())
    assert position > 0
    changed = bytearray(whole)
    changed[position] ^= 1
    path = tmp_path / name
    path.write_bytes(bytes(changed))
    assert verify.main([str(path)]) == 1
    assert "damaged" in capsys.readouterr().out
    path.write_bytes(b"<html>")
    assert inspect.main([str(path)]) == 1
    assert "web page" in capsys.readouterr().out
    assert verify.main([str(tmp_path / "nothing.keras")]) == 1


def test_inspect_and_verify_need_no_jax(files):
    code = (
        "import sys\nfrom hornbeam.cli import inspect, verify\n"
        f"folder = {str(files[0])!r}\n"
        "for name in ('m.keras', 'm.h5', 'saved', 'points'):\n"
        "    assert inspect.main([f'{folder}/{name}']) == 0 and verify.main([f'{folder}/{name}']) == 0\n"
        "print('jax' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip().endswith("False")


def test_isolated_reading_reports_the_same(files, capfd):
    assert inspect.main([str(files[0] / "m.h5"), "--isolated"]) == 0
    assert "Dense" in capfd.readouterr().out


TARGETS = [
    "o.keras", "o.h5", "o.weights.h5", "o.npz", "o.safetensors", "o.weights.json", "o.json", "o.yaml", "o", "o.ckpt",
]  # fmt: skip
PAIRS = [("m.keras", target) for target in TARGETS]
PAIRS += [(source, target) for source in ("m.h5", "folder", "saved") for target in ("o.keras", "o.weights.h5")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_models_convert_to_anything(files, tmp_path, capsys, source, target):
    folder, model = files
    path = tmp_path / target
    assert convert.main([str(folder / source), str(path)]) == 0, capsys.readouterr().err
    if target in ("o.keras", "o.h5", "o"):
        again = keras.models.load_model(path)
        assert int(again.optimizer.iterations) == 1
    elif target in ("o.json", "o.yaml"):
        read = keras.models.model_from_json if target == "o.json" else keras.models.model_from_yaml
        assert read(path.read_text()).count_params() == model.count_params()
        return
    else:
        again = keras.models.model_from_json(model.to_json())
        again.load_weights(path)
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("source", ["w.weights.h5", "w.h5", "w.npz", "w.safetensors", "s.weights.json", "points"])
def test_weights_convert_with_their_architecture(files, tmp_path, capsys, source):
    folder, model = files
    path = tmp_path / "o.keras.weights.h5"
    assert convert.main([str(folder / source), str(path), "--architecture", str(folder / "a.json")]) == 0
    again = keras.models.model_from_json(model.to_json())
    again.load_weights(path)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert (
        convert.main([str(folder / source), str(tmp_path / "o.keras"), "--architecture", str(folder / "a.yaml")]) == 0
    )
    whole = keras.models.load_model(tmp_path / "o.keras")
    np.testing.assert_array_equal(whole.get_weights()[2], model.get_weights()[2])
    capsys.readouterr()
    assert convert.main([str(folder / source), str(tmp_path / "o.h5"), "--json"]) == 1
    assert "--architecture" in json.loads(capsys.readouterr().out)["problem"]


@pytest.mark.parametrize("source", ["w.weights.h5", "s.weights.json", "w.npz", "w.safetensors"])
def test_named_arrays_convert_without_a_model(files, tmp_path, source):
    folder, model = files
    for ending in ("npz", "safetensors"):
        path = tmp_path / f"o.{ending}"
        assert convert.main([str(folder / source), str(path)]) == 0
        again = keras.models.model_from_json(model.to_json())
        again.load_weights(path)
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("source", ["saved", "points", "w.h5"])
def test_tensors_become_arrays_of_the_same_names(files, tmp_path, source):
    folder, model = files
    assert convert.main([str(folder / source), str(tmp_path / "o.npz")]) == 0
    with np.load(tmp_path / "o.npz") as stored:
        name = "first/m/first/kernel" if source == "w.h5" else "layer_with_weights-0/kernel"
        found = [stored[one] for one in stored.files if one == name or one.endswith("first/kernel")]
    np.testing.assert_array_equal(found[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("saved", "saved_model.pb"),
        ("saved", "keras_metadata.pb"),
        ("folder", "config.json"),
        ("folder", "metadata.json"),
        ("points", "cp.ckpt.index"),
        ("points", "cp.ckpt.data-00000-of-00001"),
    ],
)
def test_damage_in_folders_is_reported(files, tmp_path, capsys, name, inner):
    path = tmp_path / name
    shutil.copytree(files[0] / name, path)
    assert verify.main([str(path)]) == 0
    content = bytearray((path / inner).read_bytes())
    content[len(content) // 3] ^= 4
    (path / inner).write_bytes(content)
    assert verify.main([str(path)]) == 1
    assert inner.split(".")[0] in capsys.readouterr().out


@pytest.mark.parametrize("command", [inspect, verify])
def test_missing_files_are_reported_as_json_too(tmp_path, capsys, command):
    assert command.main([str(tmp_path / "none.keras"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"] and "none.keras" in found["problems"][0]
