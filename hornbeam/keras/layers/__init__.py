"""Layers."""

from hornbeam.keras.layers.activation.activation import Activation
from hornbeam.keras.layers.activation.elu import ELU
from hornbeam.keras.layers.activation.leaky_relu import LeakyReLU
from hornbeam.keras.layers.activation.prelu import PReLU
from hornbeam.keras.layers.activation.relu import ReLU, ThresholdedReLU
from hornbeam.keras.layers.activation.softmax import Softmax
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution.conv import Conv1D, Conv2D, Conv3D
from hornbeam.keras.layers.convolution.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from hornbeam.keras.layers.convolution.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from hornbeam.keras.layers.convolution.separable_conv import SeparableConv1D, SeparableConv2D
from hornbeam.keras.layers.core.dense import Dense
from hornbeam.keras.layers.core.einsum_dense import EinsumDense
from hornbeam.keras.layers.core.embedding import Embedding
from hornbeam.keras.layers.core.identity import Identity
from hornbeam.keras.layers.core.input_layer import Input, InputLayer
from hornbeam.keras.layers.core.lambda_layer import Lambda
from hornbeam.keras.layers.core.masking import Masking
from hornbeam.keras.layers.core.reversible_embedding import ReversibleEmbedding
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
from hornbeam.keras.layers.preprocessing.rescaling import Rescaling
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
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
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
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
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
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
