"""Pictures in files and as arrays, against Keras."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras.utils import image_utils as utils

PIXELS = np.random.RandomState(0).randint(0, 256, (9, 7, 3)).astype("uint8")


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target_size": (5, 6)},
        {"target_size": (4, 9), "interpolation": "bilinear", "keep_aspect_ratio": True},
        {"target_size": (12, 3), "interpolation": "lanczos"},
        {"color_mode": "grayscale"},
        {"color_mode": "rgba", "target_size": (3, 3), "interpolation": "box"},
    ],
)
def test_load_img_equals_keras(picture, options):
    got, expected = utils.load_img(picture, **options), keras.utils.load_img(str(picture), **options)
    assert got.mode == expected.mode and got.size == expected.size
    np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_load_img_takes_open_contents_and_bytes_of_a_name(picture):
    for path in (io.BytesIO(picture.read_bytes()), str(picture).encode(), str(picture)):
        np.testing.assert_array_equal(np.asarray(utils.load_img(path)), PIXELS)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_img_to_array_equals_keras(data_format, mode):
    picture = Image.fromarray(PIXELS).convert(mode)
    got = utils.img_to_array(picture, data_format=data_format, dtype="uint8")
    expected = keras.utils.img_to_array(picture, data_format=data_format, dtype="uint8")
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_array_to_img_equals_keras(scale, channels):
    array = np.random.RandomState(1).rand(6, 5, channels).astype("float32") * 200
    got, expected = utils.array_to_img(array, scale=scale), keras.utils.array_to_img(array, scale=scale)
    assert got.mode == expected.mode
    np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_array_to_img_takes_deep_grey_tensors_and_flat_images():
    deep = np.arange(6.0).reshape(2, 3, 1) * 100
    assert utils.array_to_img(deep, scale=False).mode == "I"
    assert np.asarray(utils.array_to_img(from_host(np.full((2, 2, 1), 3, "int32")))).max() == 0


def test_save_img_writes_what_load_img_reads(tmp_path):
    path = tmp_path / "out.png"
    utils.save_img(path, PIXELS, scale=False)
    np.testing.assert_array_equal(np.asarray(utils.load_img(path)), PIXELS)
    with pytest.warns(UserWarning, match="opacity"):
        utils.save_img(tmp_path / "out.jpg", np.zeros((4, 4, 4)), scale=False)
    stream = io.BytesIO()
    utils.save_img(stream, PIXELS, file_format="bmp", scale=False)
    assert stream.getvalue().startswith(b"BM")


@pytest.mark.parametrize("size", [(4, 9), (18, 6), (9, 7)])
def test_smart_resize_equals_keras(size):
    array = PIXELS.astype("float32")
    got = utils.smart_resize(array, size)
    assert isinstance(got, np.ndarray)
    np.testing.assert_allclose(got, keras.preprocessing.image.smart_resize(array, size), atol=1e-4)
    assert isinstance(utils.smart_resize(from_host(array), size), Tensor)


def test_wrong_arguments_raise(picture, tmp_path):
    with pytest.raises(ValueError, match="color_mode"):
        utils.load_img(picture, color_mode="bgr")
    with pytest.raises(ValueError, match="interpolation"):
        utils.load_img(picture, target_size=(3, 3), interpolation="cubic")
    with pytest.raises(TypeError, match="path"):
        utils.load_img(3)
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(OSError, match=r"no\.png' is not a whole picture"):
        utils.load_img(tmp_path / "no.png")
    whole = picture.read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match=r"half\.png' is not a whole picture"):
        utils.load_img(tmp_path / "half.png")
    with pytest.raises(ValueError, match="channels"):
        utils.array_to_img(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="3 axes"):
        utils.array_to_img(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="2 or 3 axes"):
        utils.img_to_array(np.zeros(3))
    with pytest.raises(ValueError, match="pair"):
        utils.smart_resize(PIXELS, (3,))
