"""Optimizers around optimizers: loss scaling, and several optimizers in one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core.frame import Program
from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap
from tests.keras.optimizers.twins import Twins, run_in_program


def assert_equal_state(ours, theirs, rtol=1e-5):
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(other), rtol=rtol, atol=1e-6)


# --- loss scaling --------------------------------------------------------------------------------
@pytest.mark.numeric
@pytest.mark.parametrize("way", ["eager", "program"])
def test_loss_scale_follows_the_oracle(way):
    """Growth, an overflow that leaves the step out, growth again; the oracle by its stateless form."""
    twins = Twins(
        lambda module: module.LossScaleOptimizer(
            module.Adam(0.1, weight_decay=0.01), initial_scale=64.0, dynamic_growth_steps=2, name="scaled"
        ),
        shapes={"kernel": (3, 2), "bias": (2,)},
    )
    steps = [twins.gradients(64.0) for _ in range(7)]
    steps[3] = [steps[3][0].at[0, 0].set(jnp.inf), steps[3][1]]
    steps[6] = [steps[6][0], steps[6][1].at[0].set(jnp.nan)]
    twins.oracle.build(twins.theirs)
    own = [variable.value for variable in twins.oracle.variables]
    trained = [variable.value for variable in twins.theirs]
    scales = []
    oracle_step = jax.jit(twins.oracle.stateless_apply)
    for gradients in steps:
        trained, own = oracle_step(own, gradients, trained)
        scales.append(float(own[3]))
    assert scales == [64.0, 128.0, 128.0, 64.0, 64.0, 128.0, 64.0]
    if way == "program":
        run_in_program(twins.optimizer, twins.ours, steps)
    else:
        for gradients in steps:
            twins.optimizer.apply(gradients, twins.ours)
        assert len(twins.optimizer._programs) == 1
    assert_equal_state(twins.ours, trained)
    assert_equal_state(twins.optimizer.variables, own)
    assert int(twins.optimizer.iterations) == 5
    assert [v.path for v in twins.optimizer.variables][:4] == [
        f"scaled/{name}" for name in ("iteration", "learning_rate", "step_counter", "dynamic_scale")
    ]
    stateless = twins.optimizer.stateless_apply(own, steps[0], trained)
    assert_equal_state(stateless[0], oracle_step(own, steps[0], trained)[0])


def test_loss_scale_face():
    inner = SGD(0.5, loss_scale_factor=3.0)
    optimizer = LossScaleOptimizer(inner, initial_scale=8.0)
    assert inner.loss_scale_factor is None
    assert float(optimizer.scale_loss(jnp.float32(2.0))) == 16.0
    optimizer.learning_rate = 0.25
    assert float(inner.lr) == 0.25
    again = LossScaleOptimizer.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    # Older files list arguments that do nothing.
    LossScaleOptimizer(SGD(), weight_decay=None, ema_momentum=0.99, dynamic=True)
    for options, message in (
        ({"clipnorm": 1.0}, "set it on the `inner_optimizer`"),
        ({"initial_scal": 2.0}, "initial_scale"),
    ):
        with pytest.raises(ValueError, match=message):
            LossScaleOptimizer(SGD(), **options)
    with pytest.raises(TypeError, match="wraps optimizers only"):
        LossScaleOptimizer("sgd")


def test_a_fixed_loss_scale_stays_and_leaves_no_step_out():
    optimizer = LossScaleOptimizer(SGD(1.0), initial_scale=4.0, dynamic_growth_steps=1, dynamic=False)
    weight = Variable(np.ones(2, "float32"))
    for _ in range(2):
        optimizer.apply([jnp.full(2, 2.0)], [weight])
    np.testing.assert_array_equal(weight.numpy(), 0.0)
    assert float(optimizer.scale_loss(jnp.float32(1.0))) == 4.0
    optimizer.apply([jnp.full(2, np.inf)], [weight])
    assert not np.isfinite(weight.numpy()).any()
    assert LossScaleOptimizer.from_config(optimizer.get_config()).dynamic is False


def test_loss_scale_takes_variables_that_come_later():
    first, second = (Variable(np.ones(2, "float32"), name=name) for name in "ab")
    optimizer = LossScaleOptimizer(SGD(1.0, momentum=0.5), initial_scale=4.0)
    optimizer.apply([jnp.full(2, 4.0)], [first])
    optimizer.apply([jnp.full(2, 4.0), jnp.full(2, 8.0)], [first, second])
    np.testing.assert_array_equal(first.numpy(), 1 - 1 - 1.5)
    np.testing.assert_array_equal(second.numpy(), -1.0)


# --- several optimizers --------------------------------------------------------------------------
def multi(module):
    by_path = module.OptimizerMap(module.SGD(0.1, name="plain"), {".*ernel": module.Adam(0.2, name="inner")})
    return module.MultiOptimizer(by_path, name="both")


@pytest.mark.numeric
def test_multi_optimizer_follows_the_oracle():
    twins = Twins(multi, shapes={"kernel": (3, 2), "bias": (2,), "scale": ()})
    for _ in range(4):
        twins.step()
    assert twins.worst() < 2e-6
    assert len(twins.optimizer._programs) == 1
    assert [v.path for v in twins.optimizer.variables] == [v.path for v in twins.oracle.variables]
    again = MultiOptimizer.from_config(twins.optimizer.get_config())
    assert again.get_config() == twins.optimizer.get_config()
    state = [variable.numpy() for variable in twins.optimizer.variables]
    again.build(twins.ours)
    again.set_weights(state)
    assert_equal_state(again.variables, twins.optimizer.variables)


def test_multi_optimizer_inside_a_program():
    items = [Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias")]
    optimizer = multi(optimizers)
    run_in_program(optimizer, items, [[jnp.ones(2), jnp.ones(2)]] * 3)
    np.testing.assert_allclose(items[0].numpy(), 0.4, rtol=1e-4)
    np.testing.assert_allclose(items[1].numpy(), 0.7, rtol=1e-6)
    assert int(optimizer.iterations) == 3


def test_multi_optimizer_face():
    """Chosen by a function; no rate of its own; what cannot be inside is refused."""
    items = [Variable(np.ones(2, "float32"), name=name) for name in ("a", "b")]
    sgd, adam = SGD(1.0), Adam(0.5)
    optimizer = MultiOptimizer(lambda variable: sgd if variable.name == "a" else adam, loss_scale_factor=2.0)
    optimizer.apply([jnp.full(2, 2.0)], items[:1])
    optimizer.apply([jnp.full(2, 2.0)] * 2, items)
    assert optimizer.optimizers == [sgd, adam]
    assert sgd.loss_scale_factor == adam.loss_scale_factor == 2.0
    np.testing.assert_array_equal(items[0].numpy(), -1.0)
    np.testing.assert_allclose(items[1].numpy(), 0.5, rtol=1e-5)
    with pytest.raises(AttributeError, match="optimizers"):
        _ = optimizer.learning_rate
    with pytest.raises(AttributeError, match="optimizers"):
        optimizer.learning_rate = 0.1
    with pytest.raises(ValueError, match="cannot be a MultiOptimizer"):
        MultiOptimizer(lambda variable: optimizer).build(items)
    with pytest.raises(ValueError, match="No gradients provided for any variable of"):
        optimizer.apply([None, jnp.ones(2)], items)


def test_optimizer_map_looks_up_paths():
    plain, exact, pattern = SGD(), Adam(), Adam()
    found = OptimizerMap(plain)
    found["encoder/dense"] = exact
    found["encoder/.*"] = pattern
    assert found["encoder/dense"] is exact
    assert found["encoder/other"] is pattern
    assert found["decoder"] is found.default_optimizer is plain
    assert list(found) == ["encoder/dense", "encoder/.*"]
    found[".*other"] = exact
    with pytest.raises(ValueError, match="Multiple optimizers"):
        _ = found["encoder/other"]
    with pytest.raises(ValueError, match="has an optimizer already"):
        found["encoder/dense"] = plain
    for key, value in (("x", "sgd"), (3, plain), ("x", LossScaleOptimizer(SGD()))):
        with pytest.raises(ValueError, match=r"must be|cannot be"):
            found[key] = value
    del found["encoder/.*"]
    assert len(found) == 2
    with pytest.raises(TypeError):
        OptimizerMap("sgd")
    with pytest.raises(TypeError):
        OptimizerMap(plain, [1])


def test_a_step_inside_a_program_builds_what_it_needs():
    """A first `apply_gradients` inside a compiled function creates the slots outside of its trace."""
    item = Variable(np.ones(2, "float32"), name="w")
    optimizer = optimizers.ScheduleFreeAdamW()
    program = Program(lambda gradient: optimizer.apply([gradient], [item]), [jnp.ones(2)])
    assert set(program.writes) >= {item, optimizer._iterations, optimizer._momentums[0]}
    np.testing.assert_array_equal(optimizer._momentums[0].numpy(), 1.0)


def test_the_scale_is_no_constant_of_a_program_captured_before_the_first_step():
    optimizer = LossScaleOptimizer(SGD(), initial_scale=4.0)
    scaled = tf.function(lambda loss: optimizer.scale_loss(loss))
    assert float(scaled(tf.constant(1.0))) == 4
    optimizer.build([Variable(np.zeros(2, "float32"))])
    optimizer.dynamic_scale.assign(32.0)
    assert float(scaled(tf.constant(1.0))) == 32
    assert [one.name for one in optimizer.variables[:4]] == [
        "iteration",
        "learning_rate",
        "step_counter",
        "dynamic_scale",
    ]
