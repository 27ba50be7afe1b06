"""The blocks of pix2pix: layers, shapes and parameters as the original has them."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.compat.tensorflow_examples.models.pix2pix import pix2pix


@pytest.mark.compat
def test_blocks_halve_and_double():
    up = pix2pix.upsample(16, 3, apply_dropout=True)
    assert [type(layer).__name__ for layer in up.layers] == ["Conv2DTranspose", "BatchNormalization", "Dropout", "ReLU"]
    assert tuple(up(tf.ones((1, 4, 4, 8))).shape) == (1, 8, 8, 16)
    down = pix2pix.downsample(6, 4, "instancenorm")
    assert [type(layer).__name__ for layer in down.layers] == ["Conv2D", "InstanceNormalization", "LeakyReLU"]
    assert tuple(down(tf.ones((2, 8, 6, 3))).shape) == (2, 4, 3, 6)
    assert len(pix2pix.downsample(6, 4, apply_norm=False).layers) == 2
    with pytest.raises(ValueError, match="norm_type"):
        pix2pix.upsample(3, 3, norm_type="layernorm")


@pytest.mark.compat
def test_instance_normalization_is_per_picture_and_channel():
    layer = pix2pix.InstanceNormalization()
    x = np.random.RandomState(0).normal(3, 2, (2, 5, 4, 3)).astype("float32")
    found = np.asarray(layer(x))
    scale = np.asarray(layer.scale)
    expected = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5) * scale
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert layer.get_config()["epsilon"] == 1e-5


@pytest.mark.compat
def test_whole_networks_have_the_published_sizes():
    generator = pix2pix.unet_generator(3)
    assert generator.count_params() == 54_425_859
    assert pix2pix.discriminator().count_params() == 2_770_433
