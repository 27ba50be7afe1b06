"""Statistics of the quick hash bits: rate, neighbours, steps, seeds, bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine.rng import hash_keep_mask, hash_uniform_bits

N = 1 << 20
bits = jax.jit(hash_uniform_bits, static_argnums=1)


def state(seed, counter):
    return jnp.array([seed, counter], jnp.uint32)


def signs(array):
    """One bit per element as -1 and 1, the highest, which decides a mask of rate 1/2."""
    return np.where(np.asarray(array).reshape(-1) >> 31, 1.0, -1.0)


def correlation(a, b):
    """Correlation in units of its standard deviation for independent bits."""
    return abs(np.dot(a, b)) / np.sqrt(len(a))


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.7, 0.9, 0.999])
@pytest.mark.parametrize("seed", [0, 1, 1337, 2**32 - 1])
def test_rate(seed, keep):
    mask = np.asarray(hash_keep_mask(state(seed, 3), (1024, 1024), keep))
    assert abs(mask.mean() - keep) < 5 * np.sqrt(keep * (1 - keep) / N)
    rows = mask.mean(axis=1)
    assert abs(rows - keep).max() < 6 * np.sqrt(keep * (1 - keep) / 1024) + 2 / 1024
    # Rows of a dropout mask differ from each other as much as independent ones.
    assert 0.7 < rows.std() / np.sqrt(keep * (1 - keep) / 1024) < 1.3


def test_extremes_keep_all_or_nothing():
    assert bool(hash_keep_mask(state(1, 1), (1000,), 1.0).all())
    assert not bool(hash_keep_mask(state(1, 1), (1000,), 0.0).any())


@pytest.mark.parametrize("seed", [0, 7, 99991])
def test_neighbours_are_not_correlated(seed):
    array = signs(bits(state(seed, 5), (N,)))
    for distance in (1, 2, 3, 4, 7, 8, 16, 63, 64, 128, 256, 512, 1024, 4096, 65536):
        assert correlation(array[distance:], array[:-distance]) < 5, distance


def test_steps_and_seeds_are_not_correlated_at_any_small_shift():
    first = signs(bits(state(42, 0), (N,)))
    others = [(42, 1), (42, 2), (42, 3), (43, 0), (0, 42), (42, 1 << 31)]
    for seed, counter in others:
        other = signs(bits(state(seed, counter), (N,)))
        # All shifts at once, by a Fourier transform.
        cross = np.fft.irfft(np.fft.rfft(first) * np.conj(np.fft.rfft(other)), N) / np.sqrt(N)
        assert abs(cross).max() < 6.5, (seed, counter)


def test_every_bit_is_fair_and_bytes_are_uniform():
    array = np.asarray(bits(state(5, 6), (N,)))
    for bit in range(32):
        assert abs(((array >> bit) & 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(N), bit
    for shift in (0, 8, 16, 24):
        counts = np.bincount((array >> shift) & 255, minlength=256)
        chi_square = ((counts - N / 256) ** 2 / (N / 256)).sum()
        assert 255 - 5 * np.sqrt(510) < chi_square < 255 + 5 * np.sqrt(510)


def test_runs_are_as_long_as_chance_makes_them():
    mask = np.asarray(hash_keep_mask(state(11, 12), (N,), 0.5))
    changes = np.count_nonzero(mask[1:] != mask[:-1])
    assert abs(changes - N / 2) < 5 * np.sqrt(N) / 2
    pairs = np.bincount(mask[:-2] * 4 + mask[1:-1] * 2 + mask[2:], minlength=8)
    assert abs(pairs - N / 8).max() < 6 * np.sqrt(N / 8)


def test_shape_only_arranges_and_equal_states_give_equal_bits():
    flat = bits(state(3, 4), (60,))
    assert flat.dtype == jnp.uint32
    np.testing.assert_array_equal(flat.reshape(3, 4, 5), bits(state(3, 4), (3, 4, 5)))
    np.testing.assert_array_equal(flat, hash_uniform_bits(state(3, 4), (60,)))
    assert bits(state(3, 4), ()).shape == ()
