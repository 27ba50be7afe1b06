"""Several inputs and outputs: forms of losses, weights and metrics, names, orders and numbers, beside the real "
"Keras."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras as ours
from hornbeam.base.errors import DataError
from tests.keras.trainers.twins import Twins

RNG = np.random.RandomState(1)
X = RNG.rand(20, 4).astype("float32")
Z = RNG.rand(20, 3).astype("float32")
YA, YB, YC = (RNG.rand(20, 1).astype("float32") for _ in range(3))


def functional(form):
    def build(k):
        x = k.Input((4,), name="x")
        b, a, c = (k.layers.Dense(1, name=name)(x) for name in "bac")
        outputs = {
            "list": [b, a],
            "tuple": (b, a),
            "dict": {"p": b, "n": a},
            "same": {"b": b, "a": a},
            "deep": {"p": [b, a], "n": c},
        }[form]
        return k.Model(x, outputs)

    return build


def subclassed(form):
    def build(k):
        class Two(k.Model):
            def __init__(self):
                super().__init__()
                self.first, self.second = k.layers.Dense(1), k.layers.Dense(1)

            def call(self, inputs):
                a, b = self.first(inputs), self.second(inputs)
                return {"list": [a, b], "tuple": (a, b), "dict": {"q": a, "p": b}}[form]

        return Two()

    return build


LISTS = [YA, YB]
DEEP = {"p": [YA, YB], "n": YC}
CASES = {
    "list, one loss": (functional("list"), LISTS, {"loss": "mse"}),
    "list, lists": (
        functional("list"),
        LISTS,
        {"loss": ["mse", "mae"], "loss_weights": [1.0, 2.0], "metrics": [["mae"], ["mse", "mae"]]},
    ),
    "list, dicts": (
        functional("list"),
        LISTS,
        {
            "loss": {"a": "mse", "b": "mae"},
            "loss_weights": {"b": 2.0, "a": 0.5},
            "metrics": {"a": ["mae", "mse"], "b": "mae"},
        },
    ),
    "list, targets by name": (functional("list"), {"a": YB, "b": YA}, {"loss": "mse", "metrics": ["mae", "mse"]}),
    "list, one output without loss": (functional("list"), LISTS, {"loss": ["mse", None], "metrics": [None, ["mae"]]}),
    "list, plain and weighted metrics of one name": (
        functional("list"),
        LISTS,
        {"loss": "mse", "metrics": ["mae", "mae"], "weighted_metrics": ["mae", "mae"]},
    ),
    "tuple": (functional("tuple"), tuple(LISTS), {"loss": ["mse", "mse"], "metrics": {"a": ["mae"]}}),
    "dict, one loss": (functional("dict"), {"p": YA, "n": YB}, {"loss": "mse"}),
    "dict, dicts": (
        functional("dict"),
        {"p": YA, "n": YB},
        {"loss": {"p": "mse", "n": "mae"}, "metrics": {"p": ["mae"], "n": ["mse"]}},
    ),
    "dict, part of the outputs": (
        functional("dict"),
        {"p": YA, "n": YB},
        {"loss": {"p": "mse"}, "metrics": {"p": ["mae"]}},
    ),
    "dict, list of metrics": (functional("dict"), {"p": YA, "n": YB}, {"loss": "mse", "metrics": [["mae"], ["mse"]]}),
    "dict by layer names": (
        functional("same"),
        {"b": YA, "a": YB},
        {"loss": {"b": "mse", "a": "mae"}, "metrics": {"b": ["mae"], "a": ["mse"]}},
    ),
    "deep, one loss": (functional("deep"), DEEP, {"loss": "mse"}),
    "deep, deep": (
        functional("deep"),
        DEEP,
        {"loss": {"p": ["mse", "mae"], "n": "mse"}, "metrics": {"p": [["mae"], ["mse"]], "n": ["mae"]}},
    ),
    "subclass, list": (
        subclassed("list"),
        LISTS,
        {"loss": ["mse", "mae"], "metrics": [["mae"], ["cosine_similarity"]]},
    ),
    "subclass, tuple": (subclassed("tuple"), tuple(LISTS), {"loss": ["mse", "mae"], "metrics": [["mae"], ["mse"]]}),
    "subclass, dict": (
        subclassed("dict"),
        {"q": YA, "p": YB},
        {
            "loss": {"q": "mse", "p": "mae"},
            "loss_weights": {"q": 2.0, "p": 1.0},
            "metrics": {"q": ["mae"], "p": ["mse"]},
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_forms_of_losses_and_metrics(name):
    build, y, arguments = CASES[name]
    twins = Twins(build, lambda k: {"optimizer": "sgd", **arguments}, batch=X if name.startswith("sub") else None)
    twins.fit(X, y, epochs=2, batch_size=8, validation_data=(X, y))
    results = twins.evaluate(X, y)
    assert sorted(twins.ours.metrics_names) == sorted(results)
    listed = twins.ours.evaluate(X, y, verbose=0)
    assert [results[name] for name in twins.ours.metrics_names] == (listed if isinstance(listed, list) else [listed])
    twins.predict(X, batch_size=8)


@pytest.mark.parametrize("form", ["list", "dict by input name"])
def test_several_inputs(form):
    def build(k):
        x, z = k.Input((4,), name="x"), k.Input((3,), name="z")
        joined = k.layers.Concatenate()([k.layers.Dense(3, activation="tanh")(x), z])
        return k.Model([x, z], k.layers.Dense(1)(joined))

    data = [X, Z] if form == "list" else {"z": Z, "x": X}
    twins = Twins(build, lambda k: {"optimizer": "adam", "loss": "mse"})
    twins.fit(data, YA, epochs=2, batch_size=8)
    twins.evaluate(data, YA)
    twins.predict(data, batch_size=8)


def test_dict_inputs_and_weights_by_output():
    def build(k):
        inputs = {"x": k.Input((4,), name="x"), "z": k.Input((3,), name="z")}
        return k.Model(inputs, [k.layers.Dense(1, name="a")(inputs["x"]), k.layers.Dense(1, name="b")(inputs["z"])])

    data = {"x": X, "z": Z}
    weights = [RNG.rand(20).astype("float32"), RNG.rand(20).astype("float32")]
    twins = Twins(build, lambda k: {"optimizer": "sgd", "loss": "mse", "weighted_metrics": ["mae", "mse"]})
    twins.fit(data, [YA, YB], sample_weight=weights, epochs=2, batch_size=8)
    twins.evaluate(data, [YA, YB], sample_weight=weights)
    twins.fit(data, [YA, YB], sample_weight=weights[0], epochs=2, batch_size=8)


def test_outputs_of_equal_loss_names_are_numbered():
    """Subclassed models have no output names: names of losses that would collide are numbered, as metrics are."""
    model = subclassed("list")(ours)
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    results = model.evaluate(X, LISTS, verbose=0, return_dict=True)
    assert set(results) == {"loss", "mse_loss", "mse_loss_1", "mae", "mae_1"}
    assert results["loss"] == pytest.approx(results["mse_loss"] + results["mse_loss_1"], rel=1e-5)
    assert len(model.evaluate(X, LISTS, verbose=0)) == 5


def test_one_list_of_metrics_counts_for_all_outputs():
    """(As in older versions; the real Keras refuses.)"""
    model = functional("list")(ours)
    model.compile("sgd", "mse", metrics=["mae"])
    results = model.evaluate(X, LISTS, verbose=0, return_dict=True)
    error = [np.abs(p - y).mean() for p, y in zip(model.predict(X, verbose=0), LISTS, strict=True)]
    assert [results["b_mae"], results["a_mae"]] == pytest.approx(error, rel=1e-5)
    model.compile("sgd", "mse", metrics="mae")
    assert model.evaluate(X, LISTS, verbose=0, return_dict=True) == pytest.approx(results)


@pytest.mark.parametrize(
    ("arguments", "y", "said"),
    [
        ({"loss": {"a": "mse", "bb": "mae"}}, LISTS, "'bb' is not an output of the model .did you mean 'b'."),
        ({"loss": ["mse"]}, LISTS, "2 entries, one per output .'b', 'a'."),
        ({"loss": "mse", "loss_weights": [1.0, 2.0, 3.0]}, LISTS, "loss_weights.*\n.*2 entries"),
        ({"loss": "mse", "metrics": {"c": ["mae"]}}, LISTS, "In `metrics`, key 'c'"),
        ({"loss": "mse"}, YA, "`y` does not match.*\n.*2 entries.*\n.*a single one"),
        ({"loss": "mse"}, [YA, YB, YC], "`y` does not match.*\n.*2 entries.*\n.*3 entries"),
        ({"loss": "mse"}, {"a": YA, "q": YB}, "In `y`, key 'q'"),
        ({"loss": "mse"}, None, "Target data are missing of output 'b'"),
    ],
)
def test_what_does_not_match_the_outputs_is_named(arguments, y, said):
    model = functional("list")(ours)
    model.compile("sgd", **arguments)
    before = model.get_weights()
    with pytest.raises(DataError, match=said):
        model.fit(X, y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not model.optimizer.built
    # The failed call left nothing behind that a good one could stumble over.
    model.compile("sgd", "mse")
    model.fit(X, LISTS, verbose=0)
