"""Every metric class: streaming, weights, masks, stateless calls, dtypes and configs equal the oracle's."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings

import jax
import keras
import numpy as np
import pytest

from hornbeam.core.frame import Program
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.keras import metrics
from tests.keras.losses.cases import to_numpy
from tests.keras.metrics.cases import CASES, FLAT, IDS, batches

pytestmark = pytest.mark.numeric
# The first case of each class, and those whose weights take a way of their own.
WEIGHTED_IDS = [
    id_ for id_ in IDS if id_.endswith("-0") or id_ in ("AUC-5", "AUC-8", "AUC-10", "AUC-11", "IoU-1", "Mean-1")
]
WEIGHTED = [case for case, id_ in zip(FLAT, IDS, strict=True) if id_ in WEIGHTED_IDS]
TOLERANCE = {"rtol": 2e-6, "atol": 2e-6}


def make(name, options):
    return getattr(metrics, name)(**options)


def oracle(name, options, given, weights=None):
    """Result of the oracle after all batches, all in one program, as op by op it takes seconds."""
    metric = getattr(keras.metrics, name)(**options)
    weights = [None] * len(given) if weights is None else weights

    def run(given, weights):
        state = [jax.numpy.zeros(variable.shape, variable.dtype) for variable in metric.variables]
        for batch, weight in zip(given, weights, strict=True):
            state = metric.stateless_update_state(state, *batch, sample_weight=weight)
        return metric.stateless_result(state)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Explicitly requested dtype int64", category=UserWarning)
        if getattr(metric, "_built", True) and not {"num_regressors", "class_aggregation"} & set(options):
            return np.asarray(jax.jit(run)(given, weights))
        # These make their variables at the first batch, or decide in Python about the values: not to be traced.
        for batch, weight in zip(given, weights, strict=True):
            metric.update_state(*batch, sample_weight=weight)
        return np.asarray(metric.result())


def test_every_class_has_a_case():
    classes = {
        name
        for name in metrics.__all__
        if inspect.isclass(getattr(metrics, name)) and issubclass(getattr(metrics, name), metrics.Metric)
    }
    # Those that Keras does not have are compared with scikit-learn in `test_measures`.
    own = {name for name in classes if not hasattr(keras.metrics, name)}
    assert len(own) == 6
    assert classes - own - {"Metric", "MeanMetricWrapper"} == set(CASES)


@pytest.mark.parametrize(("name", "options", "kind"), FLAT, ids=IDS)
def test_streaming(name, options, kind):
    given = batches(kind)
    metric = make(name, options)
    for batch in given:
        assert metric.update_state(*batch) is None
    result = metric.result()
    assert isinstance(result, Tensor)
    np.testing.assert_allclose(result.numpy(), oracle(name, options, given), **TOLERANCE)
    metric.reset_state()
    assert all(not to_numpy(variable).any() for variable in metric.variables)
    for batch in given:
        last = metric(*map(from_host, batch))
    assert np.array_equal(last.numpy(), result.numpy())


@pytest.mark.parametrize(("name", "options", "kind"), WEIGHTED, ids=WEIGHTED_IDS)
def test_sample_weights(name, options, kind):
    given = batches(kind, 1)
    integer = "IoU" in name and options.get("dtype") is None
    rng = np.random.default_rng(5)
    if "IoU" in name:  # weights of elements, not of samples
        sizes = [(batch[0] if kind != "score_maps" else batch[0][..., 0]).shape for batch in given]
    else:
        sizes = [batch[0].shape[:1] for batch in given]
    if name in ("PearsonCorrelation", "ConcordanceCorrelation", "CosineSimilarity") and options.get("axis") == 0:
        sizes = [batch[0].shape[1:] for batch in given]
    weights = [rng.integers(0, 4, size) if integer else rng.uniform(size=size).astype("float32") for size in sizes]
    metric = make(name, options)
    for batch, weight in zip(given, weights, strict=True):
        metric.update_state(*batch, sample_weight=weight)
    np.testing.assert_allclose(metric.result().numpy(), oracle(name, options, given, weights), rtol=5e-6, atol=2e-6)


# One of each way of updating.
TRACED = [
    "Mean", "Sum", "CategoricalAccuracy", "SparseCategoricalCrossentropy", "RootMeanSquaredError", "R2Score", "AUC",
    "Precision", "TruePositives", "PrecisionAtRecall", "F1Score", "MeanIoU", "BinaryIoU", "OneHotIoU",
]  # fmt: skip


@pytest.mark.parametrize("name", TRACED)
def test_inside_a_larger_program(name):
    """The trainer traces updates: the same numbers, and the state comes out as written variables."""
    options, kind = CASES[name][0]
    first, second = batches(kind, 2)
    expected, metric = make(name, options), make(name, options)
    expected.update_state(*first)
    metric.update_state(*first)
    before = [to_numpy(variable) for variable in metric.variables]
    program = Program(lambda *arrays: metric.update_state(*map(wrap, arrays)), list(map(jax.numpy.asarray, second)))
    assert set(program.writes) == set(metric.variables)
    assert all(np.array_equal(old, to_numpy(new)) for old, new in zip(before, metric.variables, strict=True))
    reads = [variable.read_array() for variable in program.reads]
    _, new = jax.jit(program.pure)(reads, program.consts, list(map(jax.numpy.asarray, second)))
    for variable, value in zip(program.writes, new, strict=True):
        variable.assign(value)
    expected.update_state(*second)
    np.testing.assert_allclose(metric.result().numpy(), expected.result().numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_stateless_copies_and_pickle(name):
    options, kind = CASES[name][0]
    first, second = batches(kind, 2)
    metric = make(name, options)
    metric.update_state(*first)
    state = [variable.value for variable in metric.variables]
    new = metric.stateless_update_state(state, *second)
    twin, thawed = copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))
    metric.update_state(*second)
    expected = metric.result().numpy()
    assert all(np.array_equal(a.numpy(), to_numpy(b)) for a, b in zip(new, metric.variables, strict=True))
    assert np.array_equal(metric.stateless_result(new).numpy(), expected)
    for other in (twin, thawed):
        assert not set(map(id, other.variables)) & set(map(id, metric.variables))
        other.update_state(*second)
        assert np.array_equal(other.result().numpy(), expected)
    assert all(not value.numpy().any() for value in metric.stateless_reset_state())
    assert np.array_equal(metric.result().numpy(), expected)
    with pytest.raises(ValueError, match="metric_variables"):
        metric.stateless_result([])


@pytest.mark.parametrize(("name", "options", "kind"), FLAT, ids=IDS)
def test_config(name, options, kind):
    ours, theirs = make(name, options), getattr(keras.metrics, name)(**options)
    config, expected = ours.get_config(), theirs.get_config()
    if expected.get("label_weights") is not None:
        expected["label_weights"] = np.asarray(expected["label_weights"]).tolist()
    lost = {"CosineSimilarity": {"axis"}}.get(name, set())  # the oracle forgets this argument
    made_up = (
        {"name"} if name not in inspect.signature(theirs.__init__).parameters and options.get("name") is None else set()
    )
    skipped = lost | (made_up if ours.name.rstrip("0123456789_") == theirs.name.rstrip("0123456789_") else set())
    assert {k: v for k, v in config.items() if k not in skipped} == {
        k: v for k, v in expected.items() if k not in skipped
    }
    for again in (type(ours).from_config(config), metrics.deserialize(metrics.serialize(ours))):
        assert type(again) is type(ours)
        assert again.get_config() == config
    assert metrics.serialize(ours) | {"config": None} == keras.metrics.serialize(theirs) | {"config": None}
    assert getattr(ours, "_direction", None) == getattr(theirs, "_direction", None)
    assert [(v.name, tuple(v.shape), v.dtype) for v in ours.variables] == [
        (v.name, tuple(v.shape), v.dtype) for v in theirs.variables
    ]
    assert all(not variable.trainable for variable in ours.variables)


@pytest.mark.parametrize("name", CASES)
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(home, name)).parameters for home in (metrics, keras.metrics))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("name", CASES)
def test_one_program_for_equal_shapes(name):
    options, kind = CASES[name][0]
    (batch,) = batches(kind, 1)
    batch = tuple(map(from_host, batch))
    make(name, options)(*batch)
    metric = make(name, options)
    with jax.no_tracing():
        metric.update_state(*batch)
        metric.result()
        metric.reset_state()


@pytest.mark.parametrize("name", ["Mean", "MeanSquaredError", "RootMeanSquaredError", "AUC", "F1Score", "R2Score"])
def test_half_precision_state(name):
    options, kind = CASES[name][0]
    (batch,) = batches(kind, 1)
    metric = make(name, {**options, "dtype": "mixed_float16"})
    assert metric.dtype == "float16"
    metric.update_state(*batch)
    exact = make(name, options)
    exact.update_state(*batch)
    np.testing.assert_allclose(metric.result().numpy().astype("float32"), exact.result().numpy(), rtol=2e-2, atol=2e-2)
