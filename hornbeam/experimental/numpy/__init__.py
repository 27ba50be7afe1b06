"""``tf.experimental.numpy``: NumPy's names and dtypes on tensors."""

import math as _math

from numpy import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    inexact,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

from hornbeam.core.tensor import Tensor as ndarray
from hornbeam.experimental.numpy import functions as _functions
from hornbeam.experimental.numpy import random as random
from hornbeam.experimental.numpy.arrays import (
    arange,
    array,
    asarray,
    copy,
    empty,
    experimental_enable_numpy_behavior,
    eye,
    full,
    identity,
    linspace,
    ones,
    zeros,
)
from hornbeam.experimental.numpy.functions import *  # noqa: F403 - one table of names, kept there

newaxis = None
pi = _math.pi
e = _math.e
inf = _math.inf

__all__ = [
    "arange",
    "array",
    "asarray",
    "bool_",
    "complex64",
    "complex128",
    "copy",
    "e",
    "empty",
    "experimental_enable_numpy_behavior",
    "eye",
    "float16",
    "float32",
    "float64",
    "full",
    "identity",
    "inexact",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "linspace",
    "ndarray",
    "newaxis",
    "ones",
    "pi",
    "random",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "zeros",
]
__all__ += _functions.__all__
