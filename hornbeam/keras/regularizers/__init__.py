"""Regularizers: penalties on weights or outputs that are added to the loss.

References: Keras ``keras.regularizers``.
"""

from hornbeam.keras.regularizers.lookup import deserialize, get, serialize
from hornbeam.keras.regularizers.penalties import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer
