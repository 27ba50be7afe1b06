"""What every optimizer does around its rule: learning rate, missing gradients, options, saving."""

from __future__ import annotations

import copy
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.base.errors import ShapeError
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.optimizers import SGD, Adam, schedules


def variables(*shapes: tuple) -> list[Variable]:
    return [Variable(np.ones(shape, "float32"), name=f"v{i}") for i, shape in enumerate(shapes or [(3,), (2, 2)])]


def ones_like(items: list[Variable]) -> list[Tensor]:
    return [wrap(jnp.ones(item.shape)) for item in items]


# --- learning rate and counters ------------------------------------------------------------------
def test_learning_rate_can_be_read_and_set_in_every_form():
    """Number, tensor, variable; and the short name."""
    optimizer = SGD(0.5)
    assert optimizer.lr is optimizer.learning_rate
    assert optimizer.lr.numpy() == np.float32(0.5)
    for value in (0.25, np.float32(0.125), wrap(jnp.float32(2.0)), Variable(3.0), Variable(4.0).value):
        optimizer.learning_rate = value
        assert float(optimizer.lr) == float(value)
    optimizer.lr = 1
    assert float(optimizer.learning_rate) == 1.0
    items = variables((3,))
    optimizer.apply(ones_like(items), items)
    np.testing.assert_array_equal(items[0].numpy(), 0.0)
    assert [variable.name for variable in optimizer.variables] == ["iteration", "learning_rate"]


def test_schedule_replaces_the_learning_rate_but_not_the_other_way():
    optimizer = SGD(0.5)
    optimizer.learning_rate = schedules.InverseTimeDecay(1.0, 1, 1.0)
    items = variables((3,))
    for _ in range(2):
        optimizer.apply(ones_like(items), items)
    np.testing.assert_allclose(items[0].numpy(), 1 - 1 - 0.5)
    assert [variable.name for variable in optimizer.variables] == ["iteration"]
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1


def test_callable_rates_are_asked_at_every_step():
    """Python code of the user is not frozen into a compiled step."""
    rates = iter([1.0, 10.0, 100.0])

    class Mine(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 2.0 if int(step) else 1.0  # needs a concrete step

    for rate, expected in ((lambda: next(rates), 1 - 111.0), (Mine(), 1 - 5.0)):
        items = variables((3,))
        optimizer = SGD(rate)
        for _ in range(3):
            optimizer.apply(ones_like(items), items)
        np.testing.assert_allclose(items[0].numpy(), expected)


def test_iterations_count_updates():
    items = variables((3,))
    optimizer = SGD(gradient_accumulation_steps=2)
    for step in range(5):
        assert int(optimizer.iterations) == step // 2
        returned = optimizer.apply_gradients(zip(ones_like(items), items, strict=True))
    assert int(returned) == 5
    assert Adam().iterations.dtype == "int32"


# --- which variables -----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["sgd", "adam", "nadam", "adafactor", "muon"])
def test_later_calls_may_bring_new_variables(kind):
    """They get slots of their own, at the end; the old ones keep theirs."""
    optimizer = optimizers.get({"class_name": kind, "config": {"use_ema": True}})
    first, second = variables((3,), (2, 2))
    optimizer.apply_gradients([(jnp.ones(3), first)])
    count = len(optimizer.variables)
    optimizer.apply_gradients([(jnp.ones((2, 2)), second)])
    after = first.numpy()
    optimizer.apply_gradients([(jnp.ones((2, 2)), second), (jnp.ones(3), first)])
    assert len(optimizer.variables) > count
    assert int(optimizer.iterations) == 3
    assert np.all(first.numpy() < after)
    assert np.all(second.numpy() < 1.0)


def test_missing_gradients_are_skipped_with_a_warning():
    items = variables()
    optimizer = SGD(1.0)
    for _ in range(2):
        with pytest.warns(UserWarning, match="Gradients do not exist for variables .*v0"):
            optimizer.apply_gradients([(None, items[0]), (jnp.ones((2, 2)), items[1])])
    np.testing.assert_array_equal(items[0].numpy(), 1.0)
    np.testing.assert_array_equal(items[1].numpy(), -1.0)
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None], items)


def test_bad_gradients_are_refused():
    items = variables()
    optimizer = SGD()
    with pytest.raises(ValueError, match="needs a built optimizer"):
        optimizer.apply(ones_like(items))
    with pytest.raises(ShapeError, match=r"expected: shape \(3,\)"):
        optimizer.apply([jnp.ones((2, 2)), jnp.ones(3)], items)
    with pytest.raises(ValueError, match="one to one"):
        optimizer.apply(ones_like(items)[:1], items)
    with pytest.raises(TypeError, match="variables only"):
        optimizer.apply([jnp.ones(3)], [jnp.ones(3)])
    assert int(optimizer.iterations) == 0
    assert int(optimizer.apply_gradients([])) == 0


def test_numpy_lists_and_numbers_are_gradients_too():
    (item,) = variables((2,))
    scalar = Variable(1.0, name="scalar")
    SGD(1.0).apply([np.ones(2), 3], [item, scalar])
    SGD(1.0).apply([[1.0, 2.0]], [item])
    np.testing.assert_array_equal(item.numpy(), [-1.0, -2.0])
    assert float(scalar) == -2.0


# --- options -------------------------------------------------------------------------------------
def test_constraints_are_applied_after_the_update():
    item = Variable(np.ones(3, "float32"), name="w", constraint=lambda w: jnp.maximum(jnp.asarray(w), 0.5))
    SGD(1.0).apply([jnp.asarray([0.1, 0.4, 0.9])], [item])
    np.testing.assert_allclose(item.numpy(), [0.9, 0.6, 0.5], rtol=1e-6)


def test_weight_decay_spares_what_is_excluded():
    items = [Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias", "gamma")]
    optimizer = SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[items[2]], var_names=["bias"])
    optimizer.apply([jnp.zeros(2)] * 3, items)
    assert [float(item.numpy()[0]) for item in items] == [0.5, 1.0, 1.0]
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["gamma"])


def test_moving_average_is_written_at_the_end():
    items = variables((3,))
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(3):
        optimizer.apply(ones_like(items), items)
    # Values 0, -1, -2; the average starts at the first and moves half way each time.
    np.testing.assert_array_equal(items[0].numpy(), -2.0)
    optimizer.finalize_variable_values(items)
    np.testing.assert_array_equal(items[0].numpy(), -1.25)


def test_marked_variables_take_their_gradient_as_value():
    marked, plain = variables((3,), (3,))
    marked.overwrite_with_gradient = True
    optimizer = Adam(0.5)
    optimizer.apply([jnp.full(3, 7.0), jnp.ones(3)], [marked, plain])
    np.testing.assert_array_equal(marked.numpy(), 7.0)
    assert [variable.name for variable in optimizer.variables][2:] == ["v1_momentum", "v1_velocity"]
    slow = SGD(1.0, gradient_accumulation_steps=2)
    for value in (5.0, 4.0):
        before = marked.numpy()
        slow.apply([jnp.full(3, value), jnp.ones(3)], [marked, plain])
        np.testing.assert_array_equal(marked.numpy(), before if value == 5.0 else 5.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ({"use_ema": True, "ema_momentum": 1.5}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0.5}, "ema_overwrite_frequency"),
        ({"gradient_accumulation_steps": 1}, "integer >= 2"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"momentum": 1.5}, "momentum"),
        ({"momentun": 0.9}, "did you mean 'momentum'"),
        ({"lr": 0.1}, "use `learning_rate`"),
        ({"decay": 0.1}, "InverseTimeDecay"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SGD(**options)


def test_unknown_arguments_are_type_errors_too():
    with pytest.raises(TypeError, match="lr"):
        Adam(lr=0.1)
    assert Adam(decay=0.0, name="a").get_config() == Adam(name="a").get_config()


# --- saving --------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["store", "set_weights", "pickle", "deepcopy"])
def test_state_goes_on_where_it_stopped(way):
    """Three steps, the state into another optimizer, two steps: as five steps of one."""
    items, others = variables(), variables()
    optimizer, whole = Adam(0.1, amsgrad=True), Adam(0.1, amsgrad=True)
    for _ in range(5):
        whole.apply(ones_like(others), others)
    for _ in range(3):
        optimizer.apply(ones_like(items), items)
    if way == "pickle":
        optimizer, items = pickle.loads(pickle.dumps((optimizer, items)))
    elif way == "deepcopy":
        optimizer, items = copy.deepcopy((optimizer, items))
    else:
        fresh = Adam.from_config(optimizer.get_config())
        fresh.build(items)
        if way == "store":
            store: dict = {}
            optimizer.save_own_variables(store)
            fresh.load_own_variables(store)
        else:
            fresh.set_weights([variable.numpy() for variable in optimizer.variables])
        optimizer = fresh
    for _ in range(2):
        optimizer.apply(ones_like(items), items)
    assert int(optimizer.iterations) == 5
    for mine, other in zip([*items, *optimizer.variables], [*others, *whole.variables], strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


def test_state_that_does_not_fit_is_refused():
    optimizer = Adam()
    with pytest.raises(ValueError, match="not built"):
        optimizer.set_weights([])
    with pytest.warns(UserWarning, match="not built: call it"):
        optimizer.load_own_variables({"0": np.int32(0)})
    optimizer.build(variables((3,)))
    with pytest.raises(ShapeError, match="v0_momentum"):
        optimizer.set_weights([np.int32(0), np.float32(0), np.ones(4), np.ones(3)])


def test_get_knows_names_configs_and_instances():
    adam = Adam(0.5, clipnorm=1.0)
    assert optimizers.get(adam) is adam
    assert optimizers.get(None) is None
    assert type(optimizers.get("RMSprop")) is type(optimizers.get("rmsprop")) is optimizers.RMSprop
    assert optimizers.get(optimizers.serialize(adam)).get_config() == adam.get_config()
    assert optimizers.get({"class_name": "adam", "config": {"learning_rate": 0.5}}).lr.numpy() == 0.5
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        optimizers.get("adm")
    for wrong in (3, Adam):
        with pytest.raises(ValueError, match="Unknown optimizer"):
            optimizers.get(wrong)
    scheduled = Adam(schedules.CosineDecay(0.1, 10))
    again = optimizers.deserialize(optimizers.serialize(scheduled))
    assert again.get_config() == scheduled.get_config()


# --- the one of older Keras ----------------------------------------------------------------------
def test_legacy_nadam_has_the_slow_schedule_of_its_time():
    """Against the formula of Keras 2 in float64."""
    optimizer, items = optimizers.legacy.Nadam(0.05), variables((3,))
    rng = np.random.default_rng(0)
    value, mean, square, product = np.ones(3), np.zeros(3), np.zeros(3), 1.0
    share = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * step)) for step in range(1, 9)]
    for step in range(1, 7):
        gradient = rng.standard_normal(3).astype("float32")
        optimizer.apply([wrap(jnp.asarray(gradient))], items)
        now, then = share[step - 1], share[step]
        product *= now
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        ahead = (1 - now) * gradient / (1 - product) + then * mean / (1 - product * then)
        value -= 0.05 * ahead / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
    np.testing.assert_allclose(items[0].numpy(), value, rtol=2e-6)
    assert float(optimizer._u_product) == pytest.approx(float(optimizer.product_after(6)), rel=1e-6)
    config = optimizers.serialize(optimizer)
    assert config["module"] == "keras.optimizers.legacy"
    assert type(optimizers.get(config)) is optimizers.legacy.Nadam is not optimizers.Nadam
