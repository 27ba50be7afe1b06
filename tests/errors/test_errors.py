"""`tf.errors`."""

from __future__ import annotations

import pickle

import pytest

import hornbeam as tf

OTHERS = ("OpError", "OperatorNotAllowedInGraphError")  # the second one is a TypeError without code, there too
CLASSES = [name for name in tf.errors.__all__ if name.endswith("Error") and name not in OTHERS]


@pytest.mark.parametrize("name", CLASSES)
def test_classes_carry_message_and_code(name):
    kind = getattr(tf.errors, name)
    error = kind(None, None, "what happened")
    assert isinstance(error, tf.errors.OpError)
    assert (error.message, str(error), error.op, error.node_def) == ("what happened", "what happened", None, None)
    assert error.error_code == kind.code
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), twin.message) == (kind, "what happened")


def test_codes_are_those_of_tensorflow():
    codes = {name: getattr(tf.errors, name).code for name in CLASSES}
    assert codes["InvalidArgumentError"] == tf.errors.INVALID_ARGUMENT == 3
    assert codes["NotFoundError"] == 5
    assert codes["OutOfRangeError"] == 11
    assert codes["UnimplementedError"] == 12
    assert len(set(codes.values())) == len(codes) == 16
    assert tf.errors.OpError(None, None, "m", 7).error_code == 7


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InvalidArgumentError", ValueError),
        ("NotFoundError", FileNotFoundError),
        ("OutOfRangeError", IndexError),
        ("UnimplementedError", NotImplementedError),
        ("ResourceExhaustedError", MemoryError),
        ("FailedPreconditionError", RuntimeError),
    ],
)
def test_classes_are_built_in_ones_too(name, builtin):
    assert issubclass(getattr(tf.errors, name), builtin)
