"""Constructor arguments and input shapes of every layer, for the contract tests."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """One layer to test.

    Attributes:
        name: class name.
        arguments: constructor arguments; a function of the `layers` module where they hold layers.
        shapes: input shapes with batch; several for layers that take a list.
        integers: inputs are integers below this number, if not 0.
        random: training mode draws random numbers, so that it cannot be compared.
        call: further call arguments.
    """

    name: str
    arguments: Any = {}
    shapes: tuple = ((3, 4),)
    integers: int = 0
    random: bool = False
    call: Any = {}

    def make(self, layers, **common):
        arguments = self.arguments(layers) if callable(self.arguments) else self.arguments
        return getattr(layers, self.name)(**arguments, **common)

    def inputs(self, seed=0, batch=None, scale=1.0):
        rng = np.random.default_rng(seed)
        arrays = []
        for shape in self.shapes:
            shape = shape if batch is None else (batch, *shape[1:])
            if self.integers:
                arrays.append(rng.integers(0, self.integers, shape).astype("int32"))
            else:
                arrays.append((rng.standard_normal(shape) * scale).astype("float32"))
        return arrays if len(self.shapes) > 1 else arrays[0]

    def label(self):
        text = "" if callable(self.arguments) else ",".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.name}({text})"


def merging():
    two, three = ((3, 4, 5), (3, 4, 5)), ((3, 4, 5), (3, 4, 5), (3, 4, 5))
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield Case(name, {}, three)
        yield Case(name, {}, ((3, 4, 1), (3, 1, 5)))
        yield Case(name, {}, ((3, 5), (3, 4, 5)))
    yield Case("Subtract", {}, two)
    yield Case("Concatenate", {}, ((3, 4, 5), (3, 4, 2)))
    yield Case("Concatenate", {"axis": 1}, ((3, 1, 5), (3, 4, 5), (3, 2, 5)))
    yield Case("Dot", {"axes": 1}, ((3, 4), (3, 4)))
    yield Case("Dot", {"axes": 1, "normalize": True}, ((3, 4), (3, 4)))
    yield Case("Dot", {"axes": (2, 1)}, ((3, 4, 5), (3, 5, 2)))
    yield Case("Dot", {"axes": [1, 2], "normalize": True}, ((3, 4, 5), (3, 2, 4)))
    yield Case("Dot", {"axes": -1}, ((3, 4, 2, 5), (3, 6, 5)))


def reshaping():
    image, first = ((2, 5, 6, 3),), ((2, 3, 5, 6),)
    volume, volume_first = ((2, 4, 5, 6, 2),), ((2, 2, 4, 5, 6),)
    channels_first = {"data_format": "channels_first"}
    yield Case("Flatten", {}, image)
    yield Case("Flatten", channels_first, first)
    yield Case("Flatten", {}, ((3,),))
    yield Case("Reshape", {"target_shape": (2, 6)}, ((3, 4, 3),))
    yield Case("Reshape", {"target_shape": (-1, 2)}, ((3, 4, 3),))
    yield Case("Reshape", {"target_shape": ()}, ((3, 1),))
    yield Case("Permute", {"dims": (2, 1)}, ((3, 4, 5),))
    yield Case("Permute", {"dims": (2, 3, 1)}, image)
    yield Case("RepeatVector", {"n": 3})
    yield Case("UpSampling1D", {"size": 3}, ((2, 4, 3),))
    yield Case("Cropping1D", {}, ((2, 5, 3),))
    yield Case("Cropping1D", {"cropping": (2, 0)}, ((2, 5, 3),))
    yield Case("Cropping2D", {"cropping": ((1, 0), (2, 1))}, image)
    yield Case("Cropping2D", {"cropping": (1, 2), **channels_first}, first)
    yield Case("Cropping3D", {}, volume)
    yield Case("Cropping3D", {"cropping": ((1, 0), (0, 2), (1, 1)), **channels_first}, volume_first)
    yield Case("ZeroPadding1D", {"padding": 2}, ((2, 5, 3),))
    yield Case("ZeroPadding1D", {"padding": (0, 1), **channels_first}, ((2, 5, 3),))
    yield Case("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}, image)
    yield Case("ZeroPadding2D", {"padding": 1, **channels_first}, first)
    yield Case("ZeroPadding3D", {}, volume)
    yield Case("ZeroPadding3D", {"padding": (1, 0, 2), **channels_first}, volume_first)


def normalization():
    sequence, image = ((4, 5, 6),), ((4, 3, 5, 6),)
    yield Case("BatchNormalization", {}, sequence)
    yield Case("BatchNormalization", {"axis": 1, "momentum": 0.8, "epsilon": 1e-2}, image)
    yield Case("BatchNormalization", {"center": False, "gamma_regularizer": "l2"}, ((8, 6),))
    yield Case("BatchNormalization", {"scale": False, "moving_mean_initializer": "ones"}, ((8, 6),))
    yield Case("LayerNormalization", {}, sequence)
    yield Case("LayerNormalization", {"axis": (1, 2), "epsilon": 1e-5, "scale": False}, image)
    yield Case("LayerNormalization", {"axis": [-1, -2], "center": False, "gamma_constraint": "non_neg"}, sequence)
    yield Case("RMSNormalization", {}, sequence)
    yield Case("RMSNormalization", {"axis": [1, 2], "epsilon": 1e-3}, sequence)
    yield Case("UnitNormalization", {}, sequence)
    yield Case("UnitNormalization", {"axis": [1, 2]}, sequence)
    yield Case("GroupNormalization", {"groups": 2}, sequence)
    yield Case("GroupNormalization", {"groups": -1, "scale": False}, image)
    yield Case("GroupNormalization", {"groups": 3, "axis": 1, "center": False}, image)


def core():
    yield Case("Dense", {"units": 5, "activation": "tanh"})
    yield Case("Dense", {"units": 5, "use_bias": False, "kernel_regularizer": "l2"}, ((2, 3, 4),))
    yield Case("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 7, "bias_axes": "c", "activation": "relu"})
    yield Case("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}, ((2, 3, 4),))
    yield Case("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 5, "bias_axes": "y"}, ((2, 3, 4),))
    yield Case("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (3, 2, 6), "bias_axes": "de"}, ((2, 3, 4),))
    yield Case("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"}, ((2, 3, 4),))
    yield Case("Embedding", {"input_dim": 9, "output_dim": 4}, ((3, 5),), integers=9)
    yield Case("Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": True}, ((3, 5),), integers=9)
    yield Case("ReversibleEmbedding", {"input_dim": 9, "output_dim": 4}, ((3, 5),), integers=9)
    reverse = {"input_dim": 9, "output_dim": 4, "tie_weights": False, "logit_soft_cap": 2.0}
    yield Case("ReversibleEmbedding", reverse, ((3, 5, 4),), call={"reverse": True})
    yield Case("ReversibleEmbedding", {"input_dim": 9, "output_dim": 4}, ((3, 5, 4),), call={"reverse": True})
    yield Case("Identity", {}, ((2, 3),))
    yield Case("Masking", {"mask_value": 0.5}, ((2, 3, 4),))
    yield Case("Lambda", {"function": square}, ((2, 3),))
    yield Case("Lambda", {"function": scaled, "output_shape": (3,), "arguments": {"factor": 2.5}}, ((2, 3),))


def square(x):
    return x * x


def scaled(x, factor):
    return x * factor


def activation():
    shape = ((3, 4, 5),)
    yield Case("Activation", {"activation": "gelu"}, shape)
    yield Case("ReLU", {}, shape)
    yield Case("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, shape)
    yield Case("LeakyReLU", {"negative_slope": 0.1}, shape)
    yield Case("PReLU", {"alpha_initializer": "ones"}, shape)
    yield Case("PReLU", {"shared_axes": [1], "alpha_regularizer": "l1"}, shape)
    yield Case("ELU", {"alpha": 0.7}, shape)
    yield Case("Softmax", {}, shape)
    yield Case("Softmax", {"axis": [1, 2]}, shape)


def regularization():
    yield Case("Dropout", {"rate": 0.3, "noise_shape": (None, 1, 5), "seed": 7}, ((3, 4, 5),), random=True)
    yield Case("Dropout", {"rate": 0.0}, ((3, 4, 5),))
    yield Case("SpatialDropout1D", {"rate": 0.3, "seed": 7}, ((3, 4, 5),), random=True)
    yield Case("SpatialDropout2D", {"rate": 0.3, "data_format": "channels_first"}, ((3, 4, 5, 2),), random=True)
    yield Case("SpatialDropout3D", {"rate": 0.3, "seed": 7}, ((2, 2, 4, 5, 3),), random=True)
    yield Case("GaussianDropout", {"rate": 0.3, "seed": 7}, ((3, 4, 5),), random=True)
    yield Case("GaussianNoise", {"stddev": 0.3, "seed": 7}, ((3, 4, 5),), random=True)
    yield Case("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1, 5)}, ((3, 4, 5),), random=True)
    yield Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, ((3, 4),))


def wrappers():
    yield Case("TimeDistributed", lambda layers: {"layer": layers.Dense(3, name="inner")}, ((2, 3, 4),))
    yield Case("TimeDistributed", lambda layers: {"layer": layers.BatchNormalization(name="inner")}, ((4, 3, 5),))
    yield Case("TimeDistributed", lambda layers: {"layer": layers.Flatten(name="inner")}, ((2, 3, 4, 2),))


CASES = [
    *core(),
    *activation(),
    *reshaping(),
    *merging(),
    *normalization(),
    *regularization(),
    *wrappers(),
]
IDS = [case.label() for case in CASES]
NO_ORACLE = {"ThresholdedReLU", "Wrapper"}
"""Classes that the oracle lacks, or that do nothing by themselves: tested by hand."""
