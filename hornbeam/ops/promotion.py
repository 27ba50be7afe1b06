"""Bringing operands of an op to one dtype, by the promotion table of ``base.dtypes``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes

_WEAK = {"b": bool, "i": int, "u": int, "f": float, "V": float, "c": complex}


def kind_of(operand: Any) -> Any:
    """What an operand counts as in promotion: its dtype, or the weak Python type (which may be given itself)."""
    if isinstance(operand, type):
        return operand
    if isinstance(operand, (bool, int, float, complex)) and not isinstance(operand, np.generic):
        return type(operand)
    array = operand if isinstance(operand, (jax.Array, np.ndarray, np.generic)) else jnp.asarray(operand)
    if getattr(array, "weak_type", False):
        return _WEAK[np.dtype(array.dtype).kind]
    return dtypes.from_numpy(np.dtype(array.dtype))


def result_dtype(*operands: Any) -> dtypes.DType:
    """Common dtype of arrays and Python scalars."""
    return dtypes.result_type(*(kind_of(operand) for operand in operands))


def to_dtype(operand: Any, dtype: Any) -> jax.Array:
    """The operand as a (never weak-typed) array of a dtype."""
    return jax.lax.convert_element_type(operand, np.dtype(dtypes.as_dtype(dtype).as_numpy_dtype))


def promote(*operands: Any, at_least: Any = None) -> list[jax.Array]:
    """All operands as arrays of their common dtype.

    Args:
        at_least: a further dtype or Python type that takes part, e.g. ``float`` to make integers floating.
    """
    kinds = [kind_of(operand) for operand in operands]
    dtype = dtypes.result_type(*kinds, *(() if at_least is None else (at_least,)))
    return [to_dtype(operand, dtype) for operand in operands]


def as_float(operand: Any) -> jax.Array:
    """Floating operands as they are, integers and bools as float32."""
    return promote(operand, at_least=float)[0]
