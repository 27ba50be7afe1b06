import numpy as np
import pytest

from hornbeam.core.variable import Variable
from hornbeam.keras import optimizers
from hornbeam.keras.callbacks import SwapEMAWeights


class Model:
    def __init__(self, optimizer):
        self.optimizer = optimizer


def trained(**options):
    """Two variables, one step of SGD with an average: weights and averages differ."""
    variables = [Variable(np.ones(2, "float32")), Variable(np.full(3, 2.0, "float32"))]
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5, **options)
    optimizer.build(variables)
    for _ in range(3):
        optimizer.apply([np.ones(2, "float32"), np.ones(3, "float32")], variables)
    callback = SwapEMAWeights()
    callback.set_model(Model(optimizer))
    callback.set_params({"epochs": 2})
    return callback, variables, optimizer._averages


def values(variables):
    return [np.asarray(variable).tolist() for variable in variables]


@pytest.mark.parametrize("kind", ["test", "predict"])
def test_averages_are_in_the_model_during_evaluation_and_prediction(kind):
    callback, variables, averages = trained()
    weights, means = values(variables), values(averages)
    assert weights != means
    getattr(callback, f"on_{kind}_begin")()
    assert (values(variables), values(averages)) == (means, weights)
    getattr(callback, f"on_{kind}_end")()
    assert (values(variables), values(averages)) == (weights, means)


def test_swap_on_epoch():
    callback, variables, averages = trained()
    callback.swap_on_epoch = True
    weights, means = values(variables), values(averages)
    callback.on_epoch_begin(0)
    assert values(variables) == weights
    callback.on_epoch_end(0)
    assert (values(variables), values(averages)) == (means, weights)
    callback.on_epoch_begin(1)
    assert (values(variables), values(averages)) == (weights, means)
    callback.on_epoch_end(1)
    # Last epoch: the averages stay averages too, as they become the final weights.
    assert (values(variables), values(averages)) == (means, means)


def test_arrays_held_outside_survive_a_swap():
    callback, variables, averages = trained()
    held = variables[0].__jax_array__()
    before = np.asarray(held).tolist()
    callback.on_test_begin()
    assert averages[0]._lent and variables[0]._lent
    assert np.asarray(held).tolist() == before == np.asarray(averages[0]).tolist()


def test_optimizers_inside_others():
    callback, variables, averages = trained()
    means = values(averages)
    callback.set_model(Model(optimizers.LossScaleOptimizer(callback.model.optimizer)))
    callback.on_test_begin()
    assert values(variables) == means


def test_variables_without_an_average_are_left_alone():
    variables = [Variable(np.ones(2, "float32")), Variable(np.ones(2, "float32"))]
    variables[1].overwrite_with_gradient = True
    callback = SwapEMAWeights()
    callback.set_model(Model(optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)))
    callback.model.optimizer.build(variables)
    for _ in range(2):
        callback.model.optimizer.apply([np.ones(2, "float32")] * 2, variables)
    assert callback.model.optimizer._averages[1] is None
    before = values(variables)
    callback.on_test_begin()
    assert values(variables)[0] != before[0] and values(variables)[1] == before[1]


def test_an_optimizer_without_averages_is_refused():
    callback = SwapEMAWeights()
    callback.set_model(Model(optimizers.SGD()))
    with pytest.raises(ValueError, match="keeps with `use_ema=True` only"):
        callback.on_test_begin()

    class Multi:
        optimizers = [optimizers.SGD()]

    callback.set_model(Model(Multi()))
    with pytest.raises(ValueError, match="none of the inner optimizers"):
        callback.on_test_begin()
