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
        text = (
            ""
            if callable(self.arguments)
            else ",".join(f"{key}={getattr(value, '__name__', value)}" for key, value in self.arguments.items())
        )
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
    yield Case("UpSampling2D", {"size": (2, 3)}, image)
    yield Case("UpSampling2D", {"size": 2, "interpolation": "bilinear", **channels_first}, first)
    yield Case("UpSampling3D", {"size": (2, 1, 3)}, volume)
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


def convolution():
    steps, image, first = ((2, 7, 4),), ((2, 6, 5, 4),), ((2, 4, 6, 5),)
    volume = ((1, 4, 5, 3, 2),)
    channels_first = {"data_format": "channels_first"}
    yield Case("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, steps)
    yield Case("Conv1D", {"filters": 4, "kernel_size": 2, "strides": 3, "groups": 2, "activation": "tanh"}, steps)
    yield Case("Conv2D", {"filters": 3, "kernel_size": (3, 2), "activation": "relu", "kernel_regularizer": "l2"}, image)
    yield Case("Conv2D", {"filters": 3, "kernel_size": 1, "strides": 2, "use_bias": False}, image)
    yield Case("Conv2D", {"filters": 6, "kernel_size": 3, "padding": "same", "strides": 2, **channels_first}, first)
    yield Case(
        "Conv2D", {"filters": 4, "kernel_size": 3, "padding": "SAME", "groups": 4, "dilation_rate": (2, 1)}, image
    )
    yield Case("Conv3D", {"filters": 3, "kernel_size": 2, "strides": (1, 2, 1), "padding": "same"}, volume)
    yield Case("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}, steps)
    yield Case("Conv2DTranspose", {"filters": 3, "kernel_size": (3, 2), "strides": 2, "padding": "same"}, image)
    yield Case("Conv2DTranspose", {"filters": 3, "kernel_size": 2, "dilation_rate": 2, **channels_first}, first)
    yield Case("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2, "use_bias": False}, volume)
    yield Case("DepthwiseConv1D", {"kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2}, steps)
    yield Case("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, "depthwise_constraint": "max_norm"}, image)
    yield Case("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "depth_multiplier": 2, **channels_first}, first)
    yield Case("SeparableConv1D", {"filters": 3, "kernel_size": 3, "pointwise_regularizer": "l1"}, steps)
    yield Case("SeparableConv2D", {"filters": 3, "kernel_size": 3, "padding": "same", "depth_multiplier": 2}, image)


def pooling():
    steps, image, first = ((2, 7, 4),), ((2, 6, 5, 3),), ((2, 3, 6, 5),)
    volume = ((1, 4, 5, 4, 2),)
    channels_first = {"data_format": "channels_first"}
    for kind in ("Max", "Average"):
        yield Case(f"{kind}Pooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, steps)
        yield Case(f"{kind}Pooling2D", {"pool_size": 2}, image)
        yield Case(f"{kind}Pooling2D", {"pool_size": (3, 2), "strides": 1, **channels_first}, first)
        yield Case(f"{kind}Pooling3D", {"pool_size": 2, "strides": (1, 2, 3)}, volume)
        yield Case(f"Global{kind}Pooling1D", {"keepdims": True}, steps)
        yield Case(f"Global{kind}Pooling2D", channels_first, first)
        yield Case(f"Global{kind}Pooling3D", {}, volume)
        yield Case(f"Adaptive{kind}Pooling1D", {"output_size": 3}, steps)
        yield Case(f"Adaptive{kind}Pooling2D", {"output_size": (4, 5), **channels_first}, first)
        yield Case(f"Adaptive{kind}Pooling3D", {"output_size": (2, 3, 1)}, volume)


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
    yield Case("Rescaling", {"scale": 2.0, "offset": -1.0}, ((2, 3),))
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


def recurrent():
    steps = ((3, 5, 4),)
    yield Case("SimpleRNN", {"units": 3, "activation": None, "unroll": True, "kernel_regularizer": "l2"}, steps)
    yield Case("SimpleRNN", {"units": 3, "return_sequences": True, "go_backwards": True, "use_bias": False}, steps)
    yield Case("LSTM", {"units": 3, "return_sequences": True}, steps)
    yield Case("LSTM", {"units": 3, "activity_regularizer": "l2", "recurrent_constraint": "max_norm"}, steps)
    yield Case("GRU", {"units": 3}, steps)
    yield Case("GRU", {"units": 3, "reset_after": False, "activation": "relu", "dropout": 0.3}, steps, random=True)
    yield Case("RNN", lambda layers: {"cell": [layers.LSTMCell(3, name="a"), layers.GRUCell(2, name="b")]}, steps)
    yield Case("Bidirectional", lambda layers: {"layer": layers.LSTM(3, name="inner")}, steps)
    yield Case("ConvLSTM1D", {"filters": 2, "kernel_size": 3}, ((2, 3, 6, 2),))
    yield Case("ConvLSTM2D", {"filters": 2, "kernel_size": 2, "padding": "same", "strides": 2}, ((2, 3, 4, 5, 2),))
    yield Case("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "return_sequences": True}, ((1, 2, 3, 3, 3, 2),))


def attention():
    pair, three = ((2, 3, 4), (2, 5, 4)), ((2, 3, 4), (2, 5, 6), (2, 5, 4))
    yield Case("Attention", {}, pair)
    yield Case("Attention", {"use_scale": True, "score_mode": "concat"}, three, call={"use_causal_mask": True})
    yield Case("AdditiveAttention", {}, three)
    yield Case("AdditiveAttention", {"use_scale": False}, pair)


def tables():
    yield Case("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 9.0]}, ((2, 5, 3),))
    yield Case("Normalization", {"mean": 1.0, "variance": 4.0, "axis": None, "invert": True}, ((2, 5, 3),))
    yield Case("Discretization", {"bin_boundaries": [-1.0, 0.0, 1.0], "output_mode": "one_hot"}, ((4, 3),))
    yield Case("Discretization", {"bin_boundaries": [-1.0, 0.0, 1.0], "output_mode": "count"}, ((4, 3),))
    yield Case("CategoryEncoding", {"num_tokens": 5}, ((4, 3),), integers=5)
    yield Case("CategoryEncoding", {"num_tokens": 5, "output_mode": "one_hot"}, ((4, 3),), integers=5)
    yield Case("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, ((4, 3),), integers=5)


def images():
    one = ((2, 12, 10, 3),)
    yield Case("Resizing", {"height": 6, "width": 5}, one)
    yield Case("CenterCrop", {"height": 6, "width": 5}, one)


def sounds():
    yield Case("MelSpectrogram", {"fft_length": 64, "sequence_stride": 20, "num_mel_bins": 8}, ((2, 200),))


CASES = [
    *core(),
    *activation(),
    *reshaping(),
    *convolution(),
    *pooling(),
    *merging(),
    *normalization(),
    *regularization(),
    *wrappers(),
    *recurrent(),
    *attention(),
    *tables(),
    *images(),
    *sounds(),
]
IDS = [case.label() for case in CASES]
NO_ORACLE = {
    # Several arguments with tensors.
    "GRUCell",
    "GroupedQueryAttention",
    "LSTMCell",
    "MultiHeadAttention",
    "SimpleRNNCell",
    "StackedRNNCells",
    # The oracle needs TensorFlow for these.
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
    # Files of their own: test_jax_layer.py, test_spectral_normalization.py, tests/saving/saved_model.
    "FlaxLayer",
    "JaxLayer",
    "SpectralNormalization",
    "TFSMLayer",
    "TextVectorization",
    "ThresholdedReLU",
    "Wrapper",
    # They draw numbers or look at whole batches: compared in test_image_layers.py.
    "AugMix",
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHeight",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "Solarization",
    "STFTSpectrogram",
}
"""Classes that the oracle lacks, or that do nothing by themselves: tested by hand."""
