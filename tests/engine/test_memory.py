"""Memory of the host: blocks for the device, and settings of the C library's allocator."""

import os
import subprocess
import sys

import jax
import ml_dtypes
import numpy as np
import pytest

from hornbeam.engine import jax_compat, memory

pytestmark = pytest.mark.unit
glibc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="settings of glibc")

FAULTS = """
import ctypes, resource
from hornbeam.engine import jax_compat, memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def use():
    block = libc.malloc(ctypes.c_size_t(100 << 20))
    ctypes.memset(block, 1, 100 << 20)
    libc.free(block)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.parametrize("name", [memory.SWITCH, "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_users_choice_is_left_alone(name, monkeypatch):
    monkeypatch.delenv(memory.SWITCH, raising=False)
    monkeypatch.setenv(name, "0")
    assert memory.keep_large_blocks() is False


@glibc
def test_large_blocks_are_kept():
    """A block of 100 MB is taken, given back and taken again: no page is faulted in twice."""
    environment = {name: value for name, value in os.environ.items() if name != memory.SWITCH}
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, env=environment)
    assert int(done.stdout) < 1000  # all of its pages would be 25,600, or 50 huge ones


@pytest.mark.parametrize("shape", [(1,), (3, 5), (0, 4), (7, 1, 3)])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool", ml_dtypes.bfloat16])
def test_aligned_blocks(shape, dtype):
    found = memory.aligned_empty(shape, dtype)
    assert (found.shape, found.dtype) == (shape, np.dtype(dtype))
    assert found.size == 0 or found.ctypes.data % 64 == 0
    found[...] = 1
    assert np.all(found == 1)


def test_memory_of_jax_is_constant():
    ours = np.asarray(jax.numpy.arange(8.0))
    assert jax_compat.is_constant(ours)
    assert jax_compat.is_constant(ours[None, 2:5])
    users = np.arange(8.0)
    users.flags.writeable = False  # whoever made it may switch that back
    for array in (users, users[2:], np.arange(8.0)[1:], np.frombuffer(memoryview(bytearray(8)).toreadonly(), "uint8")):
        assert not jax_compat.is_constant(array)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (3, 5), (600, 700)])
def test_arrays_are_put_as_jax_puts_them(shape, dtype):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(jax.numpy.dtype(dtype))
    array = np.asfortranarray(array)
    ours, theirs = jax_compat.put(memory.own_copy(array)), jax.device_put(array)
    assert ours.aval == theirs.aval and ours.sharding == theirs.sharding and ours.committed == theirs.committed
    np.testing.assert_array_equal(np.asarray(ours), array)
    assert not np.shares_memory(np.asarray(ours), array)


def test_put_goes_to_the_device_of_choice():
    device = jax.devices()[-1]
    with jax.default_device(device):
        assert jax_compat.put(np.ones(3, "float32")).devices() == {device}
