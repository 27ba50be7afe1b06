"""Models whose summaries are compared: the same code for Hornbeam and for the oracle."""

from __future__ import annotations

import numpy as np


def build(name, module):
    """A model by name, made of the classes of a `keras` module."""
    layers = module.layers
    return MODELS[name](module, layers)


def sequential(keras, layers):
    long_name = "a_very_long_layer_name_that_does_not_fit_into_the_column_at_all"
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2000, name=long_name)], name="plain"
    )


def empty(keras, layers):
    return keras.Sequential(name="empty")


def unbuilt(keras, layers):
    return keras.Sequential([layers.Dense(3, name="first"), layers.Dense(4, name="second")], name="unbuilt")


def frozen(keras, layers):
    first = layers.Dense(3, name="first", trainable=False)
    return keras.Sequential([layers.Input((4,)), first, layers.Dense(1, name="second")], name="frozen")


def chain(keras, layers):
    start = layers.Input((4,), name="start")
    return keras.Model(start, layers.Dense(2, name="end")(layers.Dense(3, name="middle")(start)), name="chain")


def branches(keras, layers):
    start = layers.Input((4,), name="start")
    one, two = layers.Dense(3, name="one")(start), layers.Dense(3, name="two")(start)
    shared = layers.Dense(5, name="shared")
    return keras.Model([start], [shared(one), shared(two)], name="branches")


def many_branches(keras, layers):
    start = layers.Input((4,), name="start")
    outs = [layers.Dense(3, name=f"layer_number_{number}")(start) for number in range(12)]

    class First(layers.Layer):
        def call(self, tensors):
            return tensors[0]

    return keras.Model(start, First(name="first")(outs), name="many")


def called_twice(keras, layers):
    start = layers.Input((4,), name="start")
    layer = layers.Dense(4, name="twice")
    return keras.Model(start, layer(layer(start)), name="called_twice")


def shared_with_another(keras, layers):
    layer = layers.Dense(4, name="shared")
    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    keras.Model(one, layer(one), name="other")
    return keras.Model(two, layers.Dense(1, name="end")(layer(two)), name="mine")


def nested(keras, layers):
    innermost = keras.Sequential([layers.Input((3,)), layers.Dense(7, name="deep")], name="innermost")
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(3, name="inside"), innermost], name="inner")
    start = layers.Input((4,), name="start")
    end = layers.Dense(2, name="end", trainable=False)
    return keras.Model(start, end(inner(start)), name="nested")


def several_outputs(keras, layers):
    class Two(layers.Layer):
        def call(self, x):
            return x, x + 1

    class Named(layers.Layer):
        def call(self, x):
            return {"p": x, "q": x + 1}

    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    first, second = Two(name="pair")(one)
    found = Named(name="named")(two)
    return keras.Model([one, two], [first, second, found["p"], found["q"]], name="several")


def ops(keras, layers):
    start = layers.Input((4,), name="start")
    x = keras.ops.relu(layers.Dense(3, name="dense")(start)) + 1.0
    return keras.Model(start, keras.ops.expand_dims(x, 1), name="with_ops")


def precision(keras, layers):
    first = layers.Dense(300, name="first", dtype="mixed_bfloat16")
    return keras.Sequential(
        [layers.Input((4,)), first, layers.Dense(700, name="second", dtype="bfloat16")], name="precision"
    )


def compiled(keras, layers):
    model = keras.Sequential(
        [layers.Input((4,)), layers.Dense(300, name="first"), layers.Dense(1, name="second", trainable=False)],
        name="compiled",
    )
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def compiled_unbuilt_optimizer(keras, layers):
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1, name="first")], name="compiled")
    model.compile("adam", "mse")
    return model


def large(keras, layers):
    return keras.Sequential([layers.Input((600,)), layers.Dense(2000, name="wide")], name="large")


def subclass_called(keras, layers):
    model = _subclass(keras, layers)
    model(np.ones((2, 4), "float32"))
    return model


def subclass_unbuilt(keras, layers):
    return _subclass(keras, layers)


def _subclass(keras, layers):
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.first = layers.Dense(3, name="first")
            self.second = layers.Dense(2, name="second")

        def call(self, x):
            return self.second(self.first(x))

    return Own()


MODELS = {name: value for name, value in list(globals().items()) if callable(value) and name[0] != "_"}
del MODELS["build"]
