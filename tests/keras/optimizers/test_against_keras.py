"""Every optimizer with every option makes the steps of the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.keras.optimizers.twins import SHAPES, STEPS, Twins, run_in_program

# A few roundings of float32, of numbers of size 1; XLA fuses here what the oracle computes op by op.
TOLERANCE = 1e-6

# fmt: off
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "clipnorm": 0.5}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "rho": 0.8}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "clipvalue": 0.3}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "epsilon": 1e-3, "beta_1": 0.8}),
    ("Adam", {"weight_decay": 0.02, "global_clipnorm": 0.7}),
    ("Adam", {"loss_scale_factor": 8.0, "clipvalue": 0.1}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.9}),
    ("Adam", {"use_ema": True, "ema_overwrite_frequency": 3}),
    ("Adam", {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.01}),
    ("Adam", {"gradient_accumulation_steps": 3, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.5, "epsilon": 1e-2, "clipnorm": 1.0}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6, "weight_decay": 0.01}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.01, "global_clipnorm": 0.5}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.01, "gradient_accumulation_steps": 2}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1,
              "l2_shrinkage_regularization_strength": 0.01, "beta": 0.2, "learning_rate_power": -0.6}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.8, "weight_decay": 0.05}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.05, "weight_decay": 0.01}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "relative_step": False, "clip_threshold": 0.7}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "exclude_layers": ["kern"], "adam_lr_ratio": 0.5}),
    ("Muon", {"weight_decay": None, "adam_weight_decay": 0.1, "ns_steps": 3}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "weight_decay": 0.01}),
]
# fmt: on
NAMES = [f"{kind}-{'-'.join(options) or 'defaults'}" for kind, options in CASES]


@pytest.mark.numeric
@pytest.mark.parametrize(("kind", "options"), CASES, ids=NAMES)
def test_eager_steps_equal_the_oracle(kind, options):
    """Values, slots and counters after six steps."""
    # The oracle compiles its conditions anew at each eager step: fewer variables there.
    shapes = {"kernel": (3, 5), "scale": ()} if "gradient_accumulation_steps" in options else SHAPES
    twins = Twins(lambda module: getattr(module, kind)(**options, name="twin"), shapes=shapes)
    for _ in range(STEPS):
        twins.step()
    assert twins.worst() < TOLERANCE, twins.differences()


@pytest.mark.numeric
@pytest.mark.parametrize(("kind", "options"), CASES, ids=NAMES)
def test_names_and_config_equal_the_oracle(kind, options):
    """Paths of all variables in order, and every entry of the config."""
    twins = Twins(lambda module: getattr(module, kind)(**options, name="twin"))
    assert twins.optimizer.get_config() == twins.oracle.get_config()
    twins.optimizer.build(twins.ours)
    twins.oracle.build(twins.theirs)
    paths = [variable.path for variable in twins.optimizer.variables]
    expected = [variable.path for variable in twins.oracle.variables]
    if kind == "Nadam":  # an unnamed variable there
        assert paths.pop() == "twin/u_product"
        expected.pop()
    # Placeholders that Keras creates outside of its name scope when `build` is called directly.
    expected = [path if "/" in path else f"twin/{path}" for path in expected]
    assert paths == expected
    again = type(twins.optimizer).from_config(twins.optimizer.get_config())
    assert again.get_config() == twins.optimizer.get_config()


PROGRAM_CASES = [
    ("SGD", {"momentum": 0.9, "nesterov": True, "clipnorm": 0.5}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2, "weight_decay": 0.01}),
    ("Adagrad", {}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Nadam", {"gradient_accumulation_steps": 2}),
    ("Adafactor", {}),
    ("Muon", {}),
    ("ScheduleFreeAdamW", {}),
]


@pytest.mark.numeric
@pytest.mark.parametrize(("kind", "options"), PROGRAM_CASES, ids=[kind for kind, _ in PROGRAM_CASES])
def test_steps_inside_a_program_equal_the_oracle(kind, options):
    """The same update, traced as part of a compiled training step."""
    shapes = {"kernel": (3, 4), "bias": (4,)}
    twins = Twins(lambda module: getattr(module, kind)(**options, name="twin"), shapes=shapes)
    steps = [twins.gradients() for _ in range(STEPS)]
    run_in_program(twins.optimizer, twins.ours, steps)
    for gradients in steps:
        twins.oracle.apply(gradients, twins.theirs)
    assert twins.worst() < TOLERANCE, twins.differences()


@pytest.mark.numeric
@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adam", "Adagrad", "Adadelta", "Lion"])
def test_bfloat16_variables_stay_bfloat16(kind):
    """Within a few roundings of 8 bits: fused steps round less often than the oracle's."""
    options = {"momentum": 0.9} if kind in ("SGD", "RMSprop") else {}
    shapes = {"kernel": (3, 4), "bias": (4,)}
    twins = Twins(lambda module: getattr(module, kind)(learning_rate=0.01, **options), "bfloat16", shapes)
    for _ in range(5):
        twins.step()
    assert all(variable.dtype == "bfloat16" for variable in twins.ours)
    assert twins.worst() < 4 * 2**-8, twins.differences()


SCHEDULES = [
    ("ExponentialDecay", (0.1, 3, 0.5), {}),
    ("ExponentialDecay", (0.1, 3, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {"staircase": True}),
    ("PolynomialDecay", (0.1, 7), {}),
    ("PolynomialDecay", (0.1, 7), {"power": 0.5, "cycle": True, "end_learning_rate": 0.01}),
    ("PiecewiseConstantDecay", ([2, 5], [1.0, 0.5, 0.1]), {}),
    ("PiecewiseConstantDecay", ([4.0], [0.3, 0.2]), {}),
    ("CosineDecay", (0.1, 7), {"alpha": 0.1}),
    ("CosineDecay", (0.1, 7), {"warmup_target": 0.5, "warmup_steps": 3}),
    ("CosineDecayRestarts", (0.1, 3), {}),
    ("CosineDecayRestarts", (0.1, 3), {"t_mul": 1.0, "m_mul": 0.8, "alpha": 0.05}),
]


@pytest.mark.numeric
@pytest.mark.parametrize(("kind", "arguments", "options"), SCHEDULES)
def test_schedules_equal_the_oracle(kind, arguments, options):
    """At every step of two periods; as number, variable, and inside a compiled function; and their configs."""
    import jax
    import keras

    from hornbeam.core.variable import Variable
    from hornbeam.keras.optimizers import schedules

    ours = getattr(schedules, kind)(*arguments, **options)
    theirs = getattr(keras.optimizers.schedules, kind)(*arguments, **options)
    compiled = jax.jit(lambda step: ours(step).value)
    oracle = jax.jit(theirs)
    for step in range(15):
        expected = float(oracle(np.int32(step)))
        assert float(ours(step)) == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert float(compiled(np.int32(step))) == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert float(ours(Variable(4, dtype="int32"))) == pytest.approx(float(theirs(4)), rel=1e-5)
    assert ours(3).dtype == "float32"
    assert ours.get_config() == theirs.get_config()
    again = schedules.deserialize(schedules.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()


@pytest.mark.numeric
@pytest.mark.parametrize("accumulation", [None, 2])
def test_schedule_in_an_optimizer(accumulation):
    """The schedule sees the number of batches, whether or not each of them makes an update."""

    def make(module):
        schedule = module.schedules.ExponentialDecay(0.1, 2, 0.5)
        return module.Adam(schedule, weight_decay=0.1, gradient_accumulation_steps=accumulation)

    twins = Twins(make, shapes={"kernel": (3, 4)})
    for _ in range(STEPS):
        twins.step()
    assert twins.worst() < TOLERANCE
    assert float(twins.optimizer.learning_rate) == pytest.approx(0.1 * 0.5**3)
