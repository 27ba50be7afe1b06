"""Steps as such: what is compiled and donated, convergence, stateless steps, optimizers of the user."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.door import op
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.optimizers import SGD, Adam, Optimizer, RuleOptimizer, schedules
from hornbeam.keras.optimizers.rule import Slot
from tests.keras.optimizers.twins import Twins


def variables(*shapes: tuple) -> list[Variable]:
    return [Variable(np.ones(shape, "float32"), name=f"v{i}") for i, shape in enumerate(shapes or [(3,), (2, 2)])]


def ones_like(items: list[Variable]) -> list[Tensor]:
    return [wrap(jnp.ones(item.shape)) for item in items]


square = op(lambda x: jnp.sum(jnp.square(x)))


# --- compilation ---------------------------------------------------------------------------------
@pytest.mark.bench
@pytest.mark.parametrize(
    "kind", sorted({"sgd", "adam", "rmsprop", "adagrad", "adadelta", "muon", "lossscaleoptimizer"})
)
def test_equal_steps_share_one_program(kind):
    """The second step, and a step after the learning rate was set, compile nothing."""
    optimizer = optimizers.LossScaleOptimizer(SGD()) if kind == "lossscaleoptimizer" else optimizers.get(kind)
    items = variables()
    for step in range(4):
        optimizer.apply_gradients(zip(ones_like(items), items, strict=True))
        optimizer.learning_rate = 0.1 / (step + 1)
    (program,) = optimizer._programs.values()
    assert program.program.function._cache_size() == 1
    assert int(optimizer.iterations) == 4


def test_a_hyperparameter_set_later_takes_effect():
    """Numbers are constants of the compiled step; setting one makes a new step."""
    items = variables((3,))
    optimizer = SGD(1.0, momentum=0.5)
    optimizer.apply(ones_like(items), items)
    optimizer.momentum = 0.0
    optimizer.apply(ones_like(items), items)
    np.testing.assert_allclose(items[0].numpy(), -1.0)
    wrapper = optimizers.LossScaleOptimizer(SGD(1.0), initial_scale=1.0)
    wrapper.apply(ones_like(items), items)
    wrapper.inner_optimizer.clipvalue = 0.5
    wrapper.apply(ones_like(items), items)
    np.testing.assert_allclose(items[0].numpy(), -2.5)


def test_values_read_before_a_step_survive_it():
    """Slots are donated to the step, but not while somebody holds their arrays."""
    items = variables((3,))
    optimizer = Adam()
    optimizer.apply(ones_like(items), items)
    held = [variable.value for variable in optimizer.variables]
    raw = [jnp.asarray(variable) for variable in optimizer.variables]
    before = [np.array(array) for array in raw]
    optimizer.apply(ones_like(items), items)
    for tensor, array, expected in zip(held, raw, before, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), expected)
        np.testing.assert_array_equal(np.asarray(array), expected)


def test_a_persistent_tape_outlives_steps():
    """Model variables and gradients are not donated, so that the tape may be asked again."""
    (item,) = variables((3,))
    optimizer = Adam(0.1)
    with GradientTape(persistent=True) as tape:
        loss = square(item)
    first = tape.gradient(loss, item).numpy()
    for _ in range(3):
        optimizer.apply_gradients([(tape.gradient(loss, item), item)])
    np.testing.assert_array_equal(tape.gradient(loss, item).numpy(), first)


# --- convergence ---------------------------------------------------------------------------------
CONVERGING = {
    "SGD": {"learning_rate": 0.05, "momentum": 0.9},
    "RMSprop": {"learning_rate": 0.02},
    "Adam": {"learning_rate": 0.1},
    "AdamW": {"learning_rate": 0.1, "weight_decay": 1e-5},
    "Adagrad": {"learning_rate": 1.0},
    "Adadelta": {"learning_rate": 20.0},
    "Adamax": {"learning_rate": 0.2},
    "Nadam": {"learning_rate": 0.1},
    "Ftrl": {"learning_rate": 1.0},
    # Its steps have one size, so that a fixed rate would end in a swing.
    "Lion": {"learning_rate": schedules.PolynomialDecay(0.03, 300, 0.0)},
    "Lamb": {"learning_rate": 0.05},
    "Adafactor": {"learning_rate": 0.5},
    "Muon": {"learning_rate": 0.1, "weight_decay": None, "adam_weight_decay": None},
    "ScheduleFreeAdamW": {"learning_rate": 0.3},
}


@pytest.mark.numeric
@pytest.mark.parametrize("kind", CONVERGING)
def test_convex_functions_are_minimised(kind):
    """A parabola, and a valley twenty times as steep one way as the other."""
    target = jnp.asarray([[1.0, -2.0], [0.5, 3.0]])
    steep = jnp.asarray([1.0, 20.0])

    def loss(matrix, vector):
        return jnp.sum((matrix - target) ** 2) + 0.5 * jnp.sum(steep * (vector - 1.0) ** 2)

    items = [Variable(np.full((2, 2), 0.1, "float32"), name="m"), Variable(np.zeros(2, "float32"), name="v")]
    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
    optimizer = getattr(optimizers, kind)(**CONVERGING[kind])
    first = float(loss(*(item.read_array() for item in items)))
    for _ in range(300):
        optimizer.apply(gradient(*(item.read_array() for item in items)), items)
    assert float(loss(*(item.read_array() for item in items))) < 0.01 * first


# --- other ways in -------------------------------------------------------------------------------
@pytest.mark.numeric
def test_stateless_apply_equals_apply_and_changes_nothing():
    """In a function that the user compiles, as JAX training loops do."""
    twins = Twins(lambda module: module.Adam(0.1, weight_decay=0.01, name="twin"), shapes={"kernel": (3, 2)})
    twins.optimizer.build(twins.ours)
    own = [variable.read_array() for variable in twins.optimizer.variables]
    trained = [variable.read_array() for variable in twins.ours]
    step = jax.jit(lambda own, gradients, trained: twins.optimizer.stateless_apply(own, gradients, trained))
    for _ in range(3):
        gradients = twins.gradients()
        trained, own = step(own, gradients, trained)
        twins.oracle.apply(gradients, twins.theirs)
    assert int(twins.optimizer.iterations) == 0
    np.testing.assert_allclose(trained[0], np.asarray(twins.theirs[0]), rtol=1e-5)
    for array, variable in zip(own, twins.oracle.variables, strict=True):
        np.testing.assert_allclose(array, np.asarray(variable), rtol=1e-5)
    with pytest.raises(ValueError, match="trainable_variables"):
        twins.optimizer.stateless_apply(own, gradients, [])


def test_minimize_takes_a_function_or_a_tape():
    items = variables((3,))
    optimizer = SGD(0.25)
    optimizer.minimize(lambda: square(items[0]), items)
    np.testing.assert_array_equal(items[0].numpy(), 0.5)
    with GradientTape() as tape:
        loss = square(items[0])
    assert int(optimizer.minimize(loss, lambda: items, tape=tape)) == 2
    np.testing.assert_array_equal(items[0].numpy(), 0.25)
    with pytest.raises(ValueError, match="tape"):
        optimizer.minimize(loss, items)


class OwnMomentum(Optimizer):
    """An optimizer as users write it for Keras 3."""

    def __init__(self, learning_rate=0.1, momentum=0.5, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.calls = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")
        self.total = self.add_variable((), initializer="zeros", dtype="float32", name="total")

    def update_step(self, gradient, variable, learning_rate):
        self.calls.append(variable.name)
        slot = self.momentums[self._get_variable_index(variable)]
        self.assign(slot, jnp.asarray(slot) * self.momentum - jnp.asarray(gradient) * jnp.asarray(learning_rate))
        self.assign_add(variable, slot)
        self.assign_sub(self.total, 1.0)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def test_own_optimizers_run_as_written():
    """Python in `update_step` runs at every eager step, and slots follow the formula."""
    items, others = variables(), variables()
    own, built_in = OwnMomentum(clipnorm=1.0, weight_decay=0.1), SGD(0.1, momentum=0.5, clipnorm=1.0, weight_decay=0.1)
    for _ in range(3):
        own.apply_gradients(zip(ones_like(items), items, strict=True))
        built_in.apply_gradients(zip(ones_like(others), others, strict=True))
    assert own.calls == ["v0", "v1"] * 3
    assert float(own.total) == -6.0
    assert own.variables[2].path == "own_momentum/v0_momentum"
    for mine, other in zip(items, others, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-6)
    assert OwnMomentum.from_config(own.get_config()).get_config() == own.get_config()
    with pytest.raises(ValueError, match=r"unknown variable\(s\)"):
        own.apply([jnp.ones(3)], variables((3,)))


def test_a_subclass_with_its_own_build_refuses_new_variables():
    class Counting(SGD):
        def build(self, variables):
            super().build(variables)
            self.counts = self.add_optimizer_variables(variables, "count")

    optimizer = Counting(1.0)
    first, second = variables()
    optimizer.apply([jnp.ones(3)], [first])
    with pytest.raises(ValueError, match=r"unknown variable\(s\) \['v1'\]"):
        optimizer.apply([jnp.ones((2, 2))], [second])


def test_muon_makes_steps_orthogonal():
    """All singular values end near 1, where the iteration swings; for tall and wide matrices and stacks of them."""
    muon = optimizers.Muon()
    for shape in ((6, 3), (3, 6), (2, 4, 4)):
        matrix = np.random.default_rng(1).normal(size=shape).astype("float32")
        values = np.linalg.svd(muon.zeropower_via_newtonschulz5(jnp.asarray(matrix), 5), compute_uv=False)
        assert values.min() > 0.5
        assert values.max() < 1.25
    with pytest.raises(ValueError, match="at least 2 axes"):
        muon.zeropower_via_newtonschulz5(jnp.ones(3), 5)


def test_own_rules_are_compiled_if_they_say_so():
    class Signs(RuleOptimizer):
        pure = True

        def slot_groups(self):
            return ((Slot("count", "counts", 2.0),),)

        def rule(self, gradient, value, slots, learning_rate, step):
            return value - learning_rate * jnp.sign(gradient), (slots[0] + step.astype("float32"),)

    items = variables((3,))
    optimizer = Signs(0.25)
    for _ in range(3):
        optimizer.apply([jnp.asarray([5.0, -5.0, 0.0])], items)
    np.testing.assert_array_equal(items[0].numpy(), [0.25, 1.75, 1.0])
    np.testing.assert_array_equal(optimizer.counts[0].numpy(), 8.0)
    assert len(optimizer._programs) == 1


def test_attributes_before_the_base_constructor_are_refused():
    class Careless(Optimizer):
        def __init__(self):
            self.momentum = 0.9

    with pytest.raises(RuntimeError, match="super"):
        Careless()
    with pytest.raises(NotImplementedError, match="update_step"):
        Optimizer(0.1).apply([jnp.ones(3)], variables((3,)))


def test_wide_variables_keep_their_precision():
    """float64 throughout, although JAX computes in 32 bits by default."""
    item = Variable(np.ones(3), dtype="float64", name="wide")
    optimizer = SGD(0.5, momentum=0.5)
    for _ in range(2):
        optimizer.apply([np.full(3, 1e-12)], [item])
    np.testing.assert_array_equal(item.numpy(), 1 - 5e-13 - 7.5e-13)
    assert item.dtype == optimizer.momentums[0].dtype == "float64"
