"""Constraints: projections that bring a weight back into an allowed set after each update.

References: Keras ``keras.constraints``.
"""

from hornbeam.keras.constraints.lookup import deserialize, get, serialize
from hornbeam.keras.constraints.projections import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
