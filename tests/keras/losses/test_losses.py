"""Losses beyond the contract: structures, user code, edges, labels out of range, lookup."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.core.frame import Frame
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras import losses, metrics
from tests.keras.losses.cases import data, to_numpy

FUNCTIONS = [
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "cosine_similarity", "huber", "log_cosh", "hinge", "squared_hinge", "categorical_hinge", "kl_divergence", "poisson",
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "dice", "tversky",
]  # fmt: skip


@pytest.mark.numeric
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(6,), (2, 3, 4)], ids=str)
def test_functions_on_other_ranks(name, shape):
    y_true, y_pred = data("binary", shape)
    ours = getattr(losses, name)(y_true, y_pred)
    theirs = jax.jit(getattr(keras.losses, name))(y_true, y_pred)
    assert isinstance(ours, Tensor)
    assert tuple(ours.shape) == theirs.shape
    np.testing.assert_allclose(ours.numpy(), np.asarray(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.numeric
@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error", "hinge"])
def test_functions_on_integers_and_mixed_dtypes(name):
    whole = np.array([[1, 2, 3], [0, 1, 1]], "int32")
    fraction = np.array([[0.5, 1.5, 2.5], [1.0, 0.2, 0.7]], "float32")
    pairs = [(whole, fraction), (fraction, fraction.astype("float16"))]
    if name != "hinge":  # the oracle cannot take whole numbers there
        pairs += [(whole, whole + 1), (fraction, whole)]
    for y_true, y_pred in pairs:
        ours, theirs = getattr(losses, name)(y_true, y_pred), getattr(keras.losses, name)(y_true, y_pred)
        assert ours.dtype == str(theirs.dtype)
        tolerance = 2e-3 if y_pred.dtype == "float16" else 1e-6
        mine = to_numpy(ours).astype("float32")
        np.testing.assert_allclose(mine, np.asarray(theirs, "float32"), rtol=tolerance, atol=tolerance)


@pytest.mark.numeric
def test_ranks_that_differ_by_a_column():
    y_true, y_pred = np.arange(4.0, dtype="float32"), np.ones((4, 1), "float32")
    for name in ("MeanSquaredError", "BinaryCrossentropy", "Hinge"):
        for a, b in ((y_true, y_pred), (y_true[:, None], y_pred[:, 0])):
            ours, theirs = getattr(losses, name)()(a, b), getattr(keras.losses, name)()(a, b)
            np.testing.assert_allclose(float(ours), float(theirs), rtol=1e-6)


@pytest.mark.numeric
def test_sparse_labels_as_a_column_and_along_another_axis():
    y_true, y_pred = data("classes", (5, 4))
    expected = losses.sparse_categorical_crossentropy(y_true, y_pred).numpy()
    np.testing.assert_array_equal(losses.sparse_categorical_crossentropy(y_true[:, None], y_pred).numpy(), expected)
    moved = losses.sparse_categorical_crossentropy(y_true, np.ascontiguousarray(y_pred.T), axis=0)
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-6)
    picture, scores = data("classes_logits", (2, 3, 3, 4))
    ours = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)(picture, scores)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)(picture, scores)
    np.testing.assert_allclose(float(ours), float(theirs), rtol=1e-6)


@pytest.mark.numeric
def test_the_two_cross_entropies_agree():
    loss = losses.CategoricalCrossentropy()([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    values = losses.sparse_categorical_crossentropy([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]).numpy()
    np.testing.assert_allclose(values, [0.0513, 2.3026], atol=5e-5)
    np.testing.assert_allclose(float(loss), values.mean(), rtol=1e-6)


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("name", "y_true"),
    [
        ("binary_crossentropy", [[0.0, 1.0]]),
        ("categorical_crossentropy", [[0.0, 1.0]]),
        ("sparse_categorical_crossentropy", [1]),
    ],
)
def test_extreme_predictions_give_finite_values_and_gradients(name, y_true, dtype):
    function = getattr(losses, name)
    inf = float("inf")
    cases = [([[0.0, 1.0]], False), ([[1.0, 0.0]], False), ([[0.0, 0.0]], False)]
    cases += [([[-inf, inf]], True), ([[0.0, inf]], True), ([[-1e4, 1e4]], True), ([[-inf, 0.0]], True)]
    for scores, from_logits in cases:
        y_pred = losses.inputs.as_tensor(np.array(scores, "float32"), losses.inputs.compute_dtype(dtype))
        with GradientTape() as tape:
            tape.watch(y_pred)
            value = function(y_true, y_pred, from_logits=from_logits)
        assert value.dtype == dtype
        assert np.all(np.isfinite(to_numpy(value).astype("float32"))), (scores, value)
        assert np.all(np.isfinite(to_numpy(tape.gradient(value, y_pred)).astype("float32"))), scores


@pytest.mark.numeric
def test_zero_vectors_have_similarity_zero_and_a_finite_gradient():
    zeros = from_host(np.zeros((1, 3), "float32"))
    with GradientTape() as tape:
        tape.watch(zeros)
        value = losses.cosine_similarity([[1.0, 2.0, 2.0]], zeros)
    assert value.numpy().tolist() == [0.0]
    assert np.all(np.isfinite(tape.gradient(value, zeros).numpy()))


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], np.array([9, 1])])
def test_class_numbers_that_do_not_exist(labels):
    y_pred = np.full((2, 3), 1 / 3, "float32")
    for call in (losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy()):
        with pytest.raises(ValueError, match=r"class numbers in \[0, 3\)"):
            call(labels, y_pred)
    on_device = from_host(np.asarray(labels, "int32"))
    values = losses.sparse_categorical_crossentropy(on_device, y_pred).numpy()
    theirs = np.asarray(keras.losses.sparse_categorical_crossentropy(np.asarray(labels), y_pred))
    np.testing.assert_allclose(values, theirs, rtol=1e-6)
    assert np.isfinite(float(losses.SparseCategoricalCrossentropy(ignore_class=-1)([-1, 2], y_pred)))


def test_shapes_that_do_not_fit():
    one_hot = np.eye(3, dtype="float32")
    for call in (
        lambda: losses.CategoricalCrossentropy()([0, 1, 2], one_hot),
        lambda: losses.SparseCategoricalCrossentropy()(one_hot[:, :2], one_hot),
        lambda: losses.BinaryCrossentropy()(np.ones((3, 2)), one_hot),
        lambda: losses.MeanSquaredError()(np.ones((3, 2)), one_hot),
        lambda: losses.CTC()(np.ones((3,)), one_hot),
        lambda: losses.CTC()(np.ones((3, 3)), np.ones((3, 3))),
    ):
        with pytest.raises(ValueError, match=r"y_true|y_pred"):
            call()
    with pytest.raises(ValueError, match="axis"):
        losses.categorical_crossentropy(one_hot, one_hot, axis=True)
    with pytest.raises(ValueError, match="interval"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy(np.ones((7, 1)), np.ones((7, 1)))


def test_user_losses_run_as_written():
    seen = []

    class Average(losses.Loss):
        def call(self, y_true, y_pred):
            seen.append((type(y_true), y_true.dtype))
            return losses.mean_absolute_error(y_true, y_pred)

    y_true, y_pred = data("real")
    loss = Average(reduction="sum")
    assert loss.name.split("_")[0] == "average"
    value = float(loss(y_true.astype("int64"), y_pred))
    assert seen == [(Tensor, "float32")]
    assert np.isfinite(value)
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(y_true, y_pred)


def test_user_functions_and_structures():
    y_true, y_pred = data("real")

    def difference(y_true, y_pred, scale=1.0):
        return losses.mean_squared_error(y_true["a"], y_pred["a"])

    wrapper = losses.LossFunctionWrapper(difference, reduction="sum", scale=2.0)
    value = wrapper({"a": y_true[:, :1]}, {"a": y_pred[:, 0]})
    np.testing.assert_allclose(float(value), np.square(y_true[:, 0] - y_pred[:, 0]).sum(), rtol=1e-5)
    stacked = losses.MeanSquaredError()([from_host(y_true), from_host(y_true)], [from_host(y_pred), from_host(y_true)])
    np.testing.assert_allclose(float(stacked), np.square(y_true - y_pred).mean() / 2, rtol=1e-5)


def test_a_subclass_may_override_call():
    class Doubled(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) if self.name == "plain" else losses.mean_absolute_error(y_true, y_pred)

    y_true, y_pred = data("real")
    np.testing.assert_allclose(float(Doubled()(y_true, y_pred)), np.abs(y_true - y_pred).mean(), rtol=1e-6)
    np.testing.assert_allclose(
        float(Doubled(name="plain")(y_true, y_pred)), np.square(y_true - y_pred).mean(), rtol=1e-6
    )


def test_reduction_may_be_set_later():
    loss = losses.MeanSquaredError()
    loss.reduction = "none"
    assert loss([[1.0], [2.0]], [[1.0], [4.0]]).numpy().tolist() == [0.0, 4.0]


def test_raw_arrays_in_jit_symbols_and_frames():
    y_true, y_pred = data("one_hot")
    loss = losses.CategoricalCrossentropy()
    expected = float(loss(y_true, y_pred))
    raw = jax.jit(lambda a, b: loss(a, b))(jnp.asarray(y_true), jnp.asarray(y_pred))
    np.testing.assert_allclose(float(raw), expected, rtol=1e-6)
    with Frame():
        np.testing.assert_allclose(float(loss(y_true, from_host(y_pred))), expected, rtol=1e-6)
    symbol = losses.categorical_crossentropy(KerasTensor((None, 4)), KerasTensor((None, 4)))
    assert tuple(symbol.shape) == (None,)
    assert tuple(loss(KerasTensor((None, 4)), KerasTensor((None, 4))).shape) == ()


def test_a_changed_epsilon_counts():
    """Compiled programs do not keep the old one."""
    before = settings.epsilon()
    loss, metric = losses.BinaryCrossentropy(), metrics.BinaryCrossentropy()
    values = []
    try:
        for epsilon in (before, 1e-2):
            settings.set_epsilon(epsilon)
            metric.reset_state()
            metric.update_state([[1.0]], [[0.0]])
            values.append(
                [float(loss([[1.0]], [[0.0]])), float(losses.binary_crossentropy([1.0], [0.0])), float(metric.result())]
            )
    finally:
        settings.set_epsilon(before)
    np.testing.assert_allclose(values[0], -np.log(before), rtol=1e-5)
    np.testing.assert_allclose(values[1], -np.log(1e-2), rtol=1e-5)


def test_lookup():
    for alias, name in {
        "mse": "mean_squared_error", "MSE": "mean_squared_error", "mae": "mean_absolute_error",
        "bce": "binary_crossentropy",
        "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error", "kld": "kl_divergence",
        "KLD": "kl_divergence", "BCE": "binary_crossentropy", "huber": "huber", "ctc": "ctc",
    }.items():  # fmt: skip
        assert losses.get(alias) is getattr(losses, name)
        assert losses.get(alias).__name__ == keras.losses.get(alias).__name__
    assert isinstance(losses.get("CategoricalCrossentropy"), losses.CategoricalCrossentropy)
    assert losses.get({"class_name": "Huber", "config": {"delta": 0.5}}).delta == 0.5
    assert losses.get(losses.Huber).delta == 1.0
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="did you mean 'binary_crossentropy'"):
        losses.get("binary_crosstropy")
    assert losses.mse is losses.MSE is losses.mean_squared_error
    assert losses.deserialize("mse") is losses.mean_squared_error
    wrapper = losses.LossFunctionWrapper(losses.huber, name="h", delta=0.25)
    again = losses.LossFunctionWrapper.from_config(json.loads(json.dumps(wrapper.get_config())))
    assert again.fn is losses.huber
    assert float(again([[0.0]], [[1.0]])) == float(losses.Huber(delta=0.25)([[0.0]], [[1.0]]))


def test_serialized_functions_equal_the_oracles():
    for name in [*FUNCTIONS, "sparse_categorical_crossentropy", "circle", "ctc"]:
        ours, theirs = losses.serialize(getattr(losses, name)), keras.losses.serialize(getattr(keras.losses, name))
        assert ours == theirs
