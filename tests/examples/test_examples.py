"""Every example runs and does what it says, in a short form."""

import importlib.util
import pathlib

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
FOLDER = pathlib.Path(__file__).parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lenet5(capsys, tmp_path):
    module = example("lenet5")
    accuracies = module.main(["--epochs", "4"])
    assert set(accuracies) == {"Sequential", "class"} and min(accuracies.values()) > 0.75
    assert capsys.readouterr().out.count("s per epoch") == 2
    assert module.sequential().count_params() == 61706
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "digits.npz",
        x_train=rng.integers(0, 256, (20, 28, 28), "uint8"),
        y_train=np.arange(20) % 10,
        x_test=rng.integers(0, 256, (10, 28, 28), "uint8"),
        y_test=np.arange(10),
    )
    (x, y), (x_test, _) = module.load(tmp_path / "digits.npz")
    assert x.shape == (20, 28, 28, 1) and x_test.shape == (10, 28, 28, 1) and x.dtype == "float32" and x.max() <= 1
    assert list(y[:3]) == [0, 1, 2]


def test_inception_module(capsys):
    assert example("inception_module").main(epochs=5) > 0.7
    assert "256 channels, 163,696 parameters" in capsys.readouterr().out


def test_mobilenet_v2_from_blocks():
    by_hand, ready, difference = example("mobilenet_v2_from_blocks").main(size=32)
    assert by_hand == ready == 1691208 and difference < 1e-6
    assert example("mobilenet_v2_from_blocks").mobilenet_v2(224).count_params() == 3538984


def test_resnet_from_scratch():
    assert example("resnet_from_scratch").main(epochs=4) > 0.9


def test_transfer_learning():
    first, second, unchanged = example("transfer_learning").main()
    assert 0.5 < first < second and second > 0.75 and unchanged


def test_image_segmentation(tmp_path):
    path = tmp_path / "masks.png"
    assert example("image_segmentation").main(path, epochs=3) > 0.4
    with Image.open(path) as image:
        assert image.size == (3 * 64, 6 * 64) and image.mode == "RGB"
