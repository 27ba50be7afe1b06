import copy
import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from keras.src.utils.python_utils import pythonify_logs

from hornbeam.core.tensor import wrap
from hornbeam.keras.callbacks.logs import LazyLogs


class Watched:
    """A scalar that notes when it is read."""

    ndim = 0

    def __init__(self, value):
        self.value, self.reads = value, 0

    def __array__(self, dtype=None, copy=None):
        self.reads += 1
        return np.asarray(self.value, dtype)


def numbers():
    return {"loss": jnp.float32(0.5), "acc": wrap(jnp.float32(0.25)), "steps": 3, "norm": jnp.bfloat16(1.5)}


FLOATS = {"acc": 0.25, "loss": 0.5, "norm": 1.5, "steps": 3.0}


READERS = {
    "dict": dict,
    "unpacked": lambda logs: {**logs},
    "keywords": lambda logs: (lambda **named: named)(**logs),
    "update": lambda logs: {} | logs,
    "copy method": lambda logs: logs.copy(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "items": lambda logs: dict(logs.items()),
    "zip": lambda logs: dict(zip(logs.keys(), logs.values(), strict=True)),
    "json": lambda logs: json.loads(json.dumps(logs)),
    "json, indented": lambda logs: json.loads(json.dumps(logs, indent=1)),
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)),
    "get": lambda logs: {name: logs.get(name) for name in logs},
    "getitem": lambda logs: {name: logs[name] for name in logs},
    "pop": lambda logs: {name: logs.pop(name) for name in list(logs)},
    "popitem": lambda logs: dict(sorted(logs.popitem() for _ in range(len(logs)))),
    "comprehension": lambda logs: {name: value for name, value in logs.items()},
    "repr": lambda logs: eval(repr(logs)),
    "frame": lambda logs: {name: column[0] for name, column in pandas.DataFrame([logs]).to_dict().items()},
}


@pytest.mark.parametrize("reader", READERS)
def test_every_way_of_reading_gives_floats(reader):
    found = READERS[reader](LazyLogs(numbers()))
    assert found == FLOATS
    assert {type(value) for value in found.values()} == {float}
    assert list(found) == sorted(found)


def test_nothing_is_read_before_somebody_looks():
    one, two = Watched(1.0), Watched(2.0)
    logs = LazyLogs({"b": two, "a": one})
    assert list(logs) == ["a", "b"] and len(logs) == 2 and "a" in logs and "c" not in logs and bool(logs)
    assert sorted(logs.keys()) == ["a", "b"]
    logs["c"] = 3.0
    LazyLogs.of(logs)
    assert (one.reads, two.reads) == (0, 0)
    assert logs["a"] == 1.0 and logs["a"] == 1.0
    assert (one.reads, two.reads) == (1, 0)
    assert dict(logs) == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert (one.reads, two.reads) == (1, 1)


def test_callbacks_may_change_the_logs():
    logs = LazyLogs(numbers())
    logs["loss"] = 7
    logs.update({"acc": "text"}, new=[1])
    assert logs.setdefault("norm", 9.0) == 1.5
    assert logs.setdefault("other", 9.0) == 9.0
    del logs["steps"]
    logs |= {"last": 0}
    assert logs == {"loss": 7, "acc": "text", "new": [1], "norm": 1.5, "other": 9.0, "last": 0}
    assert logs.pop("missing", 1) == 1
    with pytest.raises(KeyError):
        logs.pop("missing")
    with pytest.raises(KeyError):
        logs["missing"]
    assert (logs | {"loss": 1})["loss"] == 1 and ({"loss": 1} | logs)["loss"] == 7


def test_equality():
    assert LazyLogs(numbers()) == LazyLogs(numbers()) == FLOATS
    plain, lazy = dict(FLOATS), LazyLogs(numbers())
    assert plain == lazy
    assert LazyLogs(numbers()) != {"loss": 0.5}
    assert LazyLogs(numbers()) != 3


def test_same_values_as_the_oracle():
    given = {
        "z": np.float16(1.5),
        "a": {"q": np.int32(4), "inner": {"b": True}},
        "text": "words",
        "number": "1.5",
        "vector": np.arange(3.0),
        "one": jnp.ones((1,)),
        "none": None,
        "complex": 1j,
        "list": [1, 2],
    }
    ours, theirs = LazyLogs(given), pythonify_logs(given)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        if name == "complex":
            assert ours[name] == 1j
        elif isinstance(value, (np.ndarray, jax.Array)):
            np.testing.assert_array_equal(ours[name], value)
        else:
            assert ours[name] == value and type(ours[name]) is type(value), name


def test_arrays_of_several_numbers_are_given_as_numpy():
    logs = LazyLogs({"outputs": wrap(jnp.ones((2, 3)))})
    assert isinstance(logs["outputs"], np.ndarray) and logs["outputs"].shape == (2, 3)


def test_a_lazy_dict_is_not_wrapped_again():
    logs = LazyLogs(numbers())
    assert LazyLogs.of(logs) is logs
    assert LazyLogs(logs) == FLOATS
    assert LazyLogs.of(None) == {} and LazyLogs({}) == {}
