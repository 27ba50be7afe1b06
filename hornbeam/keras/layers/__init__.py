"""Layers."""

from typing import Any

from hornbeam.base import registry
from hornbeam.keras.layers.activation.activation import Activation
from hornbeam.keras.layers.activation.elu import ELU
from hornbeam.keras.layers.activation.leaky_relu import LeakyReLU
from hornbeam.keras.layers.activation.prelu import PReLU
from hornbeam.keras.layers.activation.relu import ReLU, ThresholdedReLU
from hornbeam.keras.layers.activation.softmax import Softmax
from hornbeam.keras.layers.attention.additive_attention import AdditiveAttention
from hornbeam.keras.layers.attention.attention import Attention
from hornbeam.keras.layers.attention.grouped_query_attention import GroupedQueryAttention
from hornbeam.keras.layers.attention.multi_head_attention import MultiHeadAttention
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution.conv import Conv1D, Conv2D, Conv3D
from hornbeam.keras.layers.convolution.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from hornbeam.keras.layers.convolution.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from hornbeam.keras.layers.convolution.separable_conv import SeparableConv1D, SeparableConv2D
from hornbeam.keras.layers.core.dense import Dense
from hornbeam.keras.layers.core.einsum_dense import EinsumDense
from hornbeam.keras.layers.core.embedding import Embedding
from hornbeam.keras.layers.core.flax_layer import FlaxLayer
from hornbeam.keras.layers.core.identity import Identity
from hornbeam.keras.layers.core.input_layer import Input, InputLayer
from hornbeam.keras.layers.core.jax_layer import JaxLayer
from hornbeam.keras.layers.core.lambda_layer import Lambda
from hornbeam.keras.layers.core.masking import Masking
from hornbeam.keras.layers.core.reversible_embedding import ReversibleEmbedding
from hornbeam.keras.layers.lookup import deserialize, serialize
from hornbeam.keras.layers.merging.add import Add, add
from hornbeam.keras.layers.merging.average import Average, average
from hornbeam.keras.layers.merging.concatenate import Concatenate, concatenate
from hornbeam.keras.layers.merging.dot import Dot, dot
from hornbeam.keras.layers.merging.maximum import Maximum, maximum
from hornbeam.keras.layers.merging.minimum import Minimum, minimum
from hornbeam.keras.layers.merging.multiply import Multiply, multiply
from hornbeam.keras.layers.merging.subtract import Subtract, subtract
from hornbeam.keras.layers.normalization.batch_normalization import BatchNormalization
from hornbeam.keras.layers.normalization.group_normalization import GroupNormalization
from hornbeam.keras.layers.normalization.layer_normalization import LayerNormalization
from hornbeam.keras.layers.normalization.rms_normalization import RMSNormalization
from hornbeam.keras.layers.normalization.spectral_normalization import SpectralNormalization
from hornbeam.keras.layers.normalization.unit_normalization import UnitNormalization
from hornbeam.keras.layers.pooling.adaptive import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from hornbeam.keras.layers.pooling.whole import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from hornbeam.keras.layers.pooling.windows import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from hornbeam.keras.layers.preprocessing.category_encoding import CategoryEncoding
from hornbeam.keras.layers.preprocessing.discretization import Discretization
from hornbeam.keras.layers.preprocessing.hashed_crossing import HashedCrossing
from hornbeam.keras.layers.preprocessing.hashing import Hashing
from hornbeam.keras.layers.preprocessing.image.color import (
    RandomColorDegeneration,
    RandomColorJitter,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from hornbeam.keras.layers.preprocessing.image.detail import RandomErasing, RandomGaussianBlur, RandomSharpness
from hornbeam.keras.layers.preprocessing.image.flip import RandomFlip
from hornbeam.keras.layers.preprocessing.image.geometry import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from hornbeam.keras.layers.preprocessing.image.histograms import (
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
)
from hornbeam.keras.layers.preprocessing.image.light import (
    RandomBrightness,
    RandomContrast,
    RandomInvert,
    RandomPosterization,
    Solarization,
)
from hornbeam.keras.layers.preprocessing.image.mixing import CutMix, MaxNumBoundingBoxes, MixUp
from hornbeam.keras.layers.preprocessing.image.policies import AugMix, RandAugment
from hornbeam.keras.layers.preprocessing.image.sizes import CenterCrop, RandomCrop, RandomHeight, RandomWidth, Resizing
from hornbeam.keras.layers.preprocessing.image.warping import RandomElasticTransform, RandomPerspective
from hornbeam.keras.layers.preprocessing.integer_lookup import IntegerLookup
from hornbeam.keras.layers.preprocessing.mel_spectrogram import MelSpectrogram
from hornbeam.keras.layers.preprocessing.normalization import Normalization
from hornbeam.keras.layers.preprocessing.pipeline import Pipeline
from hornbeam.keras.layers.preprocessing.rescaling import Rescaling
from hornbeam.keras.layers.preprocessing.stft_spectrogram import STFTSpectrogram
from hornbeam.keras.layers.preprocessing.string_lookup import StringLookup
from hornbeam.keras.layers.preprocessing.text_vectorization import TextVectorization
from hornbeam.keras.layers.regularization.activity_regularization import ActivityRegularization
from hornbeam.keras.layers.regularization.alpha_dropout import AlphaDropout
from hornbeam.keras.layers.regularization.dropout import Dropout
from hornbeam.keras.layers.regularization.gaussian_dropout import GaussianDropout
from hornbeam.keras.layers.regularization.gaussian_noise import GaussianNoise
from hornbeam.keras.layers.regularization.spatial_dropout import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from hornbeam.keras.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from hornbeam.keras.layers.reshaping.flatten import Flatten
from hornbeam.keras.layers.reshaping.permute import Permute
from hornbeam.keras.layers.reshaping.repeat_vector import RepeatVector
from hornbeam.keras.layers.reshaping.reshape import Reshape
from hornbeam.keras.layers.reshaping.up_sampling import UpSampling2D, UpSampling3D
from hornbeam.keras.layers.reshaping.up_sampling1d import UpSampling1D
from hornbeam.keras.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from hornbeam.keras.layers.rnn.bidirectional import Bidirectional
from hornbeam.keras.layers.rnn.conv_lstms import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from hornbeam.keras.layers.rnn.gru import GRU, GRUCell
from hornbeam.keras.layers.rnn.lstm import LSTM, LSTMCell
from hornbeam.keras.layers.rnn.rnn import RNN
from hornbeam.keras.layers.rnn.simple_rnn import SimpleRNN, SimpleRNNCell
from hornbeam.keras.layers.rnn.stacked_rnn_cells import StackedRNNCells
from hornbeam.keras.layers.wrappers.time_distributed import TimeDistributed
from hornbeam.keras.layers.wrappers.wrapper import Wrapper

# Other names under which Keras knows these layers.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GroupQueryAttention = GroupedQueryAttention
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Equalization",
    "Flatten",
    "FlaxLayer",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "JaxLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxNumBoundingBoxes",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
    "RMSNormalization",
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
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "STFTSpectrogram",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TFSMLayer",
    "TextVectorization",
    "ThresholdedReLU",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


def __getattr__(name: str) -> Any:
    # It runs files, so it stands above the formats.
    if name == "TFSMLayer":
        return registry.find("keras", "TFSMLayer")
    raise registry.missing(__name__, name, __all__)
