"""Every layer: config, values, gradients, training, shapes, dtypes, copies and compilations equal the oracle's."""

import copy
import inspect
import pickle

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.keras import layers
from hornbeam.keras.layers.base import calling
from tests.keras.layers.cases import CASES, IDS, NO_ORACLE

pytestmark = pytest.mark.numeric
each_case = pytest.mark.parametrize("case", CASES, ids=IDS)
FIRST_OF_CLASS = [case for index, case in enumerate(CASES) if case.name != CASES[index - 1].name]
# For what hardly depends on the arguments: one case of each class, and the others where there is time.
each_class = pytest.mark.parametrize(
    "case",
    [case if case in FIRST_OF_CLASS else pytest.param(case, marks=pytest.mark.slow) for case in CASES],
    ids=IDS,
)
RATE = 0.1


def as_lists(config):
    """Tuples as lists: a model file does not tell them apart."""
    if isinstance(config, dict):
        return {key: as_lists(value) for key, value in config.items()}
    return [as_lists(item) for item in config] if isinstance(config, (list, tuple)) else config


def tensors(inputs):
    return [from_host(array) for array in inputs] if isinstance(inputs, list) else from_host(inputs)


def specs(case, kind, batch=None, unknown=()):
    """Symbolic inputs with unknown axes."""
    made = []
    for shape in case.shapes:
        sizes = tuple(None if axis in unknown or axis - len(shape) in unknown else n for axis, n in enumerate(shape))
        made.append(kind((batch, *sizes[1:]), "int32" if case.integers else "float32"))
    return made if len(made) > 1 else made[0]


def numbers(layer):
    """Random weights that keep variances positive."""
    rng = np.random.default_rng(5)
    return [rng.uniform(0.5, 1.5, np.shape(weight)).astype("float32") for weight in layer.get_weights()]


def build(case, ours, theirs):
    """Symbolic calls, which compile nothing."""
    ours(specs(case, KerasTensor), **case.call)
    theirs(specs(case, keras.KerasTensor), **case.call)


def pair(case, **common):
    """A layer of ours and one of the oracle with the same weights, built."""
    ours, theirs = case.make(layers, **common), case.make(keras.layers, **common)
    build(case, ours, theirs)
    theirs.set_weights(numbers(theirs))
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def takes_training(layer):
    return "training" in inspect.signature(layer.call).parameters


def close(ours, theirs, **tolerance):
    np.testing.assert_allclose(
        np.asarray(ours, dtype="float32"),
        np.asarray(theirs, dtype="float32"),
        **({"rtol": 2e-5, "atol": 2e-6} | tolerance),
    )


def test_every_class_has_a_case():
    # By the name of the class: some classes have a second name.
    classes = {getattr(layers, name).__name__ for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    classes = {name for name in classes if issubclass(getattr(layers, name), layers.Layer)}
    assert classes - {"Layer", "InputLayer"} == {case.name for case in CASES} | NO_ORACLE


@each_case
def test_config(case):
    ours, theirs = case.make(layers, name="one"), case.make(keras.layers, name="one")
    expected = theirs.get_config()
    if case.name == "Lambda":
        # The oracle writes the module of a function that is not registered; here it is looked up by name.
        expected["function"] = ours.get_config()["function"]
    assert ours.get_config() == expected
    config = ours.get_config()
    if case.name != "Lambda":
        assert as_lists(type(ours).from_config(config).get_config()) == as_lists(config)
    build(case, ours, theirs)
    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    assert [tuple(weight.shape) for weight in ours.weights] == [tuple(weight.shape) for weight in theirs.weights]
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    assert ours.supports_masking == theirs.supports_masking
    assert len(ours.variables) == len(theirs.variables)


def factors(outputs):
    """Weights of the outputs in the loss, so that their gradients differ."""
    return np.cos(np.arange(outputs.size, dtype="float32")).reshape(outputs.shape)


STEP_CASES = [(case, False) for case in CASES] + [
    (case, True) for case in CASES if case.name in ("BatchNormalization", "TimeDistributed", "Dense", "EinsumDense")
]


@pytest.mark.parametrize(("case", "training"), STEP_CASES, ids=lambda part: getattr(part, "label", lambda: part)())
def test_three_steps(case, training):
    """Outputs, gradients of inputs and weights, losses, and all weights after three steps of gradient descent."""
    ours, theirs = pair(case)
    flags = {"training": training} if takes_training(theirs) else {}

    def loss_of(trainable, arrays, others):
        outputs, others, losses = theirs.stateless_call(
            trainable, others, arrays, return_losses=True, **case.call, **flags
        )
        if theirs.activity_regularizer is not None:
            # The oracle's `stateless_call` leaves out the outermost layer's.
            losses = [theirs.activity_regularizer(outputs) / outputs.shape[0]]
        return (outputs * jnp.asarray(factors(outputs))).sum() + sum(losses), (outputs, others)

    by_inputs = () if case.integers else (1,)
    oracle = jax.jit(jax.value_and_grad(loss_of, argnums=(0, *by_inputs), has_aux=True))
    for step in range(3):
        inputs = case.inputs(seed=step)
        (loss, (expected, others)), gradients = oracle(
            [variable.value for variable in theirs.trainable_variables],
            inputs,
            [variable.value for variable in theirs.non_trainable_variables],
        )
        x = tensors(inputs)
        flat = x if isinstance(x, list) else [x]
        weights = ours.trainable_variables
        with GradientTape(persistent=True) as tape:
            tape.watch(flat)
            outputs = ours(x, **case.call, **flags)
            total = (outputs * factors(outputs)).sum() + sum(ours.losses)
        close(outputs, expected)
        close(total, loss, atol=1e-4)
        sources = [*weights, *flat] if by_inputs else weights
        wanted = jax.tree_util.tree_leaves(gradients)
        mine = [np.asarray(part) for part in tape.gradient(total, sources, unconnected_gradients="zero")]
        for one, other in zip(mine, wanted, strict=True):
            close(one, other, atol=2e-5)
        for variable, gradient in zip(weights, mine, strict=False):
            variable.assign_sub(RATE * gradient)
        for variable, value in zip(theirs.non_trainable_variables, others, strict=True):
            variable.assign(value)
        for variable, value in zip(theirs.trainable_variables, gradients[0], strict=True):
            variable.assign(variable.value - RATE * value)
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            close(one, other, atol=2e-5)


@each_case
def test_symbolic_shapes(case):
    """Unknown batch, and one unknown axis after the other; what the oracle refuses is refused here too."""
    eager = case.make(layers)(tensors(case.inputs()), **case.call)
    last = max(len(shape) for shape in case.shapes)
    for unknown in [(), *((axis,) for axis in range(1, last)), tuple(range(1, last - 1))]:
        try:
            expected = case.make(keras.layers)(specs(case, keras.KerasTensor, unknown=unknown), **case.call)
        except (TypeError, ValueError):
            assert unknown  # an unknown batch alone is always legal
            with pytest.raises((TypeError, ValueError)):
                case.make(layers)(specs(case, KerasTensor, unknown=unknown), **case.call)
            continue
        ours = case.make(layers)(specs(case, KerasTensor, unknown=unknown), **case.call)
        assert tuple(ours.shape) == tuple(expected.shape), unknown
        assert ours.dtype == eager.dtype
        assert all(a in (None, b) for a, b in zip(ours.shape, eager.shape, strict=True))


@each_class
def test_batch_of_one(case):
    """Samples are independent in inference: the first one alone gives what it gives among others."""
    layer = case.make(layers)
    inputs = case.inputs()
    first = [array[:1] for array in inputs] if isinstance(inputs, list) else inputs[:1]
    close(layer(tensors(first), **case.call), layer(tensors(inputs), **case.call)[:1])


TOLERANCE = {"mixed_float16": 4e-3, "mixed_bfloat16": 3e-2, "bfloat16": 3e-2, "float64": 1e-5}
POLICIES = list(TOLERANCE)
# One policy per class in turn, and all of them where dtypes are handled in a way of their own. A wrapper's dtype is not
# that of the layer inside.
OWN_WAY = {"BatchNormalization", "LayerNormalization", "RMSNormalization", "GroupNormalization", "Embedding", "Softmax"}
WRAPPERS = {"TimeDistributed", "Bidirectional", "RNN"}
# The oracle cannot make their first weights in bfloat16.
NO_BFLOAT16 = {"SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
POLICY_CASES = [
    (case, policy)
    for index, case in enumerate(FIRST_OF_CLASS)
    for number, policy in enumerate(POLICIES)
    if (number == index % 4 or case.name in OWN_WAY)
    and case.name not in WRAPPERS
    and not (policy == "bfloat16" and case.name in NO_BFLOAT16)
]


@pytest.mark.parametrize(("case", "policy"), POLICY_CASES, ids=lambda part: getattr(part, "label", lambda: part)())
def test_dtype_policies(case, policy):
    ours = case.make(layers, dtype=policy)
    theirs = case.make(keras.layers, dtype="float32" if policy == "float64" else policy)
    inputs = case.inputs()
    expected = theirs(inputs, **case.call)
    outputs = ours(tensors(inputs), **case.call)
    if theirs.weights:
        theirs.set_weights(numbers(theirs))
        ours.set_weights(theirs.get_weights())
        outputs, expected = ours(tensors(inputs), **case.call), theirs(inputs, **case.call)
    assert outputs.dtype == ("float64" if policy == "float64" else str(expected.dtype))
    assert [w.dtype for w in ours.weights] == ["float64" if policy == "float64" else w.dtype for w in theirs.weights]
    # Sums of half-precision products are as wrong as their largest terms.
    size = max(1.0, float(np.abs(np.asarray(expected, dtype="float32")).max()))
    close(outputs, expected, rtol=TOLERANCE[policy], atol=TOLERANCE[policy] * size)


@each_class
def test_copies_and_compilations(case, monkeypatch):
    """A copy computes the same; the second call of equal shapes makes no new program."""
    made = []
    plan = calling.Plan
    monkeypatch.setattr(calling, "Plan", lambda *args: made.append(args) or plan(*args))
    layer = case.make(layers)
    inputs = tensors(case.inputs())
    first = layer(inputs, **case.call)
    expected_plans = 0 if case.name == "Lambda" else 1
    assert len(made) == expected_plans
    for _ in range(2):
        close(layer(inputs, **case.call), first)
    assert len(made) == expected_plans
    if case in FIRST_OF_CLASS:
        close(copy.deepcopy(layer)(inputs, **case.call), first)
    read = pickle.loads(pickle.dumps(layer))
    assert read.get_config() == layer.get_config()
    assert [weight.path for weight in read.variables] == [weight.path for weight in layer.variables]
    for one, other in zip(read.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
