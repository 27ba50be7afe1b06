"""WAV files come back as written."""

import numpy as np
import pytest

import hornbeam as tf

SOUND = (np.random.RandomState(0).rand(50, 2).astype("float32") * 2 - 1) * 0.9


def test_wav_round_trip():
    stored = tf.audio.encode_wav(SOUND, 8000)
    samples, rate = tf.audio.decode_wav(stored)
    assert int(rate) == 8000 and tuple(samples.shape) == (50, 2) and samples.dtype == tf.float32
    np.testing.assert_allclose(samples.numpy(), SOUND, atol=1e-4)
    longer, _ = tf.audio.decode_wav(stored, desired_channels=3, desired_samples=60)
    assert tuple(longer.shape) == (60, 3) and not longer.numpy()[50:].any()
    np.testing.assert_array_equal(longer.numpy()[:50, 2], samples.numpy()[:, 1])
    assert tuple(tf.audio.decode_wav(stored, 1, 10)[0].shape) == (10, 1)


def test_what_is_no_sound_raises():
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a WAV file"):
        tf.audio.decode_wav(b"no sound")
    with pytest.raises(tf.errors.InvalidArgumentError, match="samples, channels"):
        tf.audio.encode_wav(SOUND[:, 0], 8000)
