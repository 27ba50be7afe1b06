"""Devices and switches."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hornbeam as tf

START = "import os, warnings; os.environ['JAX_PLATFORMS'] = 'cpu'; import hornbeam as tf\n"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_listing():
    (cpu,) = tf.config.list_physical_devices("CPU")
    assert (cpu.name, cpu.device_type) == ("/physical_device:CPU:0", "CPU")
    assert tf.config.list_logical_devices("CPU")[0].name == "/device:CPU:0"
    assert tf.config.list_physical_devices("TPU") == []
    assert tf.config.get_visible_devices("CPU") == [cpu]
    assert tf.config.experimental.get_device_details(cpu) == {}
    with pytest.raises(ValueError, match="account"):
        tf.config.experimental.get_memory_info("CPU:0")


def test_listing_does_not_start_jax_so_that_devices_can_still_be_divided():
    code = """
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 3)
print(len(tf.config.list_logical_devices("CPU")), len(tf.config.list_physical_devices()))
with tf.device("/CPU:2"):
    x = tf.ones(2) + 1
print(x.device[-5:], (x + tf.ones(2)).numpy().tolist())
try:
    tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()])
except RuntimeError as error:
    print("jax_num_cpu_devices" in str(error))
tf.config.set_soft_device_placement(False)
try:
    tf.device("/GPU:0").__enter__()
except RuntimeError as error:
    print("All available devices" in str(error))
"""
    assert run(code).splitlines() == ["3 1", "CPU:2 [3.0, 3.0]", "True", "True"]


def test_memory_growth_before_and_after_the_start():
    code = """
gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
tf.config.experimental.set_memory_growth(gpu, True)
print(os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"], tf.config.experimental.get_memory_growth(gpu))
tf.ones(1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.set_memory_growth(gpu, False)
print(len(caught), "too late" in str(caught[0].message))
"""
    assert run(code).splitlines() == ["false True", "1 True"]


def test_hiding_gpus():
    code = (
        "tf.config.set_visible_devices([], 'GPU'); print(tf.config.list_logical_devices('GPU'), tf.ones(1).device[-5:])"
    )
    assert run(code) == "[] CPU:0"
    with pytest.raises(ValueError, match="not one of"):
        tf.config.set_visible_devices(tf.config.PhysicalDevice("/physical_device:GPU:9", "GPU"), "GPU")


def test_switches():
    seen = []
    function = tf.function(lambda x: seen.append(tf.executing_eagerly()) or x)
    tf.config.run_functions_eagerly(True)
    try:
        assert tf.config.functions_run_eagerly()
        function(tf.ones(1))
    finally:
        tf.config.run_functions_eagerly(False)
    assert seen == [True]
    assert tf.config.get_soft_device_placement()
    with pytest.warns(UserWarning, match="no effect"):
        tf.config.threading.set_inter_op_parallelism_threads(2)
    assert tf.config.threading.get_intra_op_parallelism_threads() == 0
    assert tf.config.experimental.tensor_float_32_execution_enabled()


def test_unsupported_configurations_are_refused():
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    limit = tf.config.LogicalDeviceConfiguration(memory_limit=1024)
    with pytest.raises(RuntimeError, match="divided"):
        tf.config.set_logical_device_configuration(gpu, [limit, limit])
    with pytest.warns(UserWarning, match="XLA_PYTHON_CLIENT_MEM_FRACTION"):
        tf.config.set_logical_device_configuration(gpu, [limit])
    with pytest.raises(NotImplementedError, match="priorities"):
        tf.config.LogicalDeviceConfiguration(experimental_priority=1)


def test_switches_of_the_graph_optimizer_are_kept():
    optimizer = tf.config.optimizer
    try:
        optimizer.set_jit(True)
        assert optimizer.get_jit() == "autoclustering"
        optimizer.set_experimental_options({"layout_optimizer": False})
        assert optimizer.get_experimental_options()["layout_optimizer"] is False
        with pytest.raises(ValueError, match="autoclustering"):
            optimizer.set_jit("fast")
    finally:
        optimizer.set_jit(False)
    assert optimizer.get_jit() == ""
