"""What a layer accepts as input."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import ShapeError


class InputSpec:
    """Requirements on one input of a layer.

    Args:
        dtype: element type, or None for any.
        shape: sizes, None for any; unknown rank if not given.
        ndim: exact number of axes.
        max_ndim: largest number of axes.
        min_ndim: smallest number of axes.
        axes: size by axis.
        allow_last_axis_squeeze: accept one axis more or less if the last is 1.
        name: name of the input, for a dict of inputs.
        optional: None is accepted as input.

    References: Keras ``InputSpec``.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtypes.as_dtype(dtype).name if dtype is not None else None
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        except (ValueError, TypeError) as error:
            raise TypeError(
                f"InputSpec: `axes` maps numbers of axes to their sizes, e.g. {{-1: 8}}. Received: {axes!r}"
            ) from error
        highest = self.ndim if self.ndim is not None else max_ndim
        if self.axes and highest is not None and max(self.axes) > highest - 1:
            raise ValueError(f"InputSpec: `axes` names axis {max(self.axes)} of a tensor with at most {highest} axes.")

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Make one from its config."""
        return cls(**config)

    def __repr__(self) -> str:
        spec = [
            f"{name}={value}"
            for name in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
            if (value := getattr(self, name)) not in (None, {})
        ]
        return f"InputSpec({', '.join(spec)})"


def check(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise unless the inputs fit the spec (or structure of specs).

    Raises:
        ShapeError: naming layer, input, what was expected and what was received.
    """
    specs = trees.flatten(spec)
    if isinstance(inputs, dict) and all(s.name for s in specs):
        missing = [s.name for s in specs if s.name not in inputs and not s.optional]
        if missing:
            raise ValueError(
                f'Layer "{layer_name}" gets no data for its input "{missing[0]}". It takes a dictionary with the keys '
                f"{[s.name for s in specs]}. Received: keys {list(inputs)}"
            )
        values = [inputs.get(s.name) for s in specs]
    else:
        values = trees.flatten(inputs)
    if len(values) != len(specs):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s). Received: {len(values)}, namely {inputs}'
        )
    for index, (one, value) in enumerate(zip(specs, values, strict=True)):
        if one is None or (value is None and one.optional):
            continue
        if value is None or not hasattr(value, "shape"):
            raise ValueError(f"Layer '{layer_name}' takes tensors. Received: {value!r} of type {type(value).__name__}")
        _check_one(one, value, index, layer_name)


def _advice(wanted: int, found: int) -> str:
    if found == wanted - 1 and wanted == 3:
        return (
            ". The axis of time steps is missing: a recurrent layer before this one needs `return_sequences=True`; "
            "data need the shape (batch, steps, features)"
        )
    if found == wanted - 1:
        return ". One axis is missing: pictures of one channel need it too, e.g. `x[..., None]`"
    return ""


def _check_one(spec: InputSpec, value: Any, index: int, layer_name: str) -> None:
    shape = tuple(value.shape)
    ndim = len(shape)
    start = f'Input {index} of layer "{layer_name}" is incompatible with the layer: '
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and ndim != spec.ndim:
        raise ShapeError(
            f"{start}expected ndim={spec.ndim}, found ndim={ndim} in the shape {shape}{_advice(spec.ndim, ndim)}"
        )
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        raise ShapeError(f"{start}expected max_ndim={spec.max_ndim}, found ndim={ndim} in the shape {shape}")
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        raise ShapeError(f"{start}expected min_ndim={spec.min_ndim}, found ndim={ndim} in the shape {shape}")
    if spec.dtype is not None and value.dtype != spec.dtype:
        raise ValueError(f"{start}expected dtype={spec.dtype}, found dtype={value.dtype}")
    for axis, size in spec.axes.items():
        if size is not None and axis < ndim and shape[axis] not in (size, None):
            raise ShapeError(f"{start}expected axis {axis} to have size {size}, received an input of shape {shape}")
    if spec.shape is not None:
        wanted = spec.shape
        if spec.allow_last_axis_squeeze:
            wanted = wanted[:-1] if wanted and wanted[-1] == 1 else wanted
            shape = shape[:-1] if shape and shape[-1] == 1 else shape
        fits = len(wanted) == len(shape) and all(
            w is None or s is None or w == s for w, s in zip(wanted, shape, strict=True)
        )
        if not fits:
            raise ShapeError(f"{start}expected shape={spec.shape}, found shape={tuple(value.shape)}")
