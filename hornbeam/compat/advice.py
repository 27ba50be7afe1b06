"""What to do instead of names that ``tf`` and ``keras`` once had and Hornbeam has not."""

from __future__ import annotations

from hornbeam.compat import paths
from hornbeam.compat.names.tensorflow import V1

_OLD = "It belongs to TensorFlow 1. Use `tf.compat.v1.{}`, or run the program with `hornbeam run`, which knows it."

_ADVICE = {
    "hornbeam.lite": "Write the model with `model.export` and convert it with the tools of LiteRT.",
    "hornbeam.raw_ops": "Use the public operations in `tf`, `tf.math` and `tf.nn`.",
    "hornbeam.sysconfig": "There is no TensorFlow to build against.",
    "hornbeam.tpu": "Devices are found by JAX; see `tf.config.list_physical_devices`.",
    "hornbeam.xla": "Everything is compiled by XLA already.",
    "hornbeam.get_variable": "Make a `tf.Variable`, or a layer with `add_weight`.",
    "hornbeam.variable_scope": "Use `tf.name_scope`, and share layers instead of scopes.",
    "hornbeam.keras.distribution": "Use `tf.distribute.MirroredStrategy` to train on several devices.",
    "hornbeam.keras.dtensor": "Use `tf.distribute.MirroredStrategy` to train on several devices.",
}


def advice(module: str, name: str) -> str | None:
    """A sentence for a name that a module lacks; ``None`` if there is nothing to say.

    Args:
        module: full name of the module.
        name: the missing name.
    """
    if (known := _ADVICE.get(f"{module}.{name}")) is not None:
        return known
    if module == "hornbeam" and name in V1:
        return _OLD.format(name)
    spelled = paths.spelling_of(module)
    return paths.advice(f"{spelled}.{name}") if spelled is not None else None
