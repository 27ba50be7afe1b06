"""The words of old layer configs: names of classes and arguments, and what today's layers call them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CLASSES",
    "DEPTHWISE_EXTRA",
    "DROPPED",
    "ONLY",
    "ORDERINGS",
    "REFUSED",
    "RENAMED",
    "SEPARABLE_EXTRA",
    "WITH_ORDERING",
]

CLASSES: dict[str, str] = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "AtrousConv1D": "Conv1D",
    "AtrousConv2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "LSTMV2": "LSTM",
    "GRUV2": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "DenseFeaturesV2": "DenseFeatures",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
}
"""Class names that have changed while the layer is the same."""

# --- renamed arguments ---------------------------------------------------------------------------
_WEIGHTS = {
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "U_constraint": "recurrent_constraint",
    "b_constraint": "bias_constraint",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "bias": "use_bias",
}
_CONVOLUTION = {
    **_WEIGHTS,
    "nb_filter": "filters",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
    "depthwise_init": "depthwise_initializer",
    "pointwise_init": "pointwise_initializer",
}
_POOLING = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_RECURRENT = {**_WEIGHTS, "output_dim": "units", "dropout_W": "dropout", "dropout_U": "recurrent_dropout"}
_EMBEDDING = {
    "init": "embeddings_initializer",
    "W_regularizer": "embeddings_regularizer",
    "W_constraint": "embeddings_constraint",
}
_NOISE = {"p": "rate", "sigma": "stddev"}

RENAMED: dict[str, dict[str, str]] = {
    "Dense": {**_WEIGHTS, "output_dim": "units"},
    "Embedding": _EMBEDDING,
    "BatchNormalization": {"gamma_init": "gamma_initializer", "beta_init": "beta_initializer"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "ThresholdedReLU": {"theta": "threshold"},
    "PReLU": {"init": "alpha_initializer"},
    "ConvLSTM2D": {**_CONVOLUTION, **_RECURRENT, "nb_filter": "filters"},
    "UpSampling1D": {"length": "size"},
}
for _name in ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
              "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D",
              "LocallyConnected1D", "LocallyConnected2D"):  # fmt: skip
    RENAMED[_name] = _CONVOLUTION
for _name in (
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
):
    RENAMED[_name] = _POOLING
for _name in ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell"):
    RENAMED[_name] = _RECURRENT
for _name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
              "AlphaDropout"):  # fmt: skip
    RENAMED[_name] = _NOISE

ORDERINGS = {"th": "channels_first", "tf": "channels_last", "default": "channels_last"}

WITH_ORDERING = frozenset(
    f"{kind}{axes}D" for kind in ("ZeroPadding", "Cropping", "UpSampling", "SpatialDropout") for axes in (2, 3)
)

# Arguments that say nothing (today), or only what is known otherwise.
DROPPED = frozenset(
    {"cache_enabled", "consume_less", "input_dtype", "input_length", "truncate_gradient", "fused", "dynamic",
     "virtual_batch_size", "adjustment", "_keras_api_names", "output_shape_type", "output_mask_type", "type_spec",
     "renorm_clipping", "renorm_momentum", "query_shape", "key_shape", "value_shape", "has_value",
     "vocabulary_size", "weights", "experimental_autocast", "softmax_robust_masking",
     "rng_type"}
)  # fmt: skip
# Options that were never used if they have this value; any other one changes results and is refused.
ONLY: dict[str, tuple[Any, ...]] = {
    "time_major": (False, None),
    "renorm": (False, None),
    "ragged": (False, None),
    "causal": (False, None),
    "reset_gates": (False, None),
}
SEPARABLE_EXTRA = ("kernel_initializer", "kernel_regularizer", "kernel_constraint", "groups")
DEPTHWISE_EXTRA = ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "groups")

REFUSED = {
    "MaxoutDense": "which has no successor. Build the model in Python with Dense and a reshaped maximum.",
    "Highway": "which has no successor. Build the model in Python from Dense, Multiply and Add.",
    "TensorFlowOpLayer": "a raw TensorFlow graph operation. Rebuild the model in Python and load its weights by name.",
    "ClassMethod": "a method of a TensorFlow class. Rebuild the model in Python and load its weights by name.",
    "InstanceMethod": "a method of a TensorFlow object. Rebuild the model in Python and load its weights by name.",
    "InstanceProperty": "a property of a TensorFlow object. Rebuild the model in Python and load its weights by name.",
}
