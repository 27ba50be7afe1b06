"""``Input`` and ``InputLayer``: where a functional model begins."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, settings, shapes
from hornbeam.core.node import Node
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer


class InputLayer(Layer):
    """Holds the symbolic input of a model.

    Args:
        shape: sizes without the batch axis.
        batch_size: size of the batch axis, None for any.
        dtype: element type; floatx if not given.
        sparse: sparse tensors are not offered; must be False or None.
        ragged: ragged tensors are not offered; must be False or None.
        batch_shape: sizes with the batch axis, instead of ``shape``.
        input_tensor: existing symbolic tensor to use.
        optional: None may be passed for it.
        name: name.

    References: Keras ``layers.InputLayer``.
    """

    pure = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name, **kwargs)
        refuse_special(sparse, ragged)
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(
                    "InputLayer: `input_tensor` takes a KerasTensor, such as keras.Input gives. Received: "
                    f"{input_tensor!r} of type {type(input_tensor).__name__}"
                )
            batch_shape, dtype = tuple(input_tensor.shape), dtype or input_tensor.dtype
        elif shape is not None:
            if batch_shape is not None:
                raise ValueError(
                    "InputLayer takes either `shape` (without the batch axis) or `batch_shape` (with it). Received: "
                    f"shape={shape}, batch_shape={batch_shape}"
                )
            batch_shape = (batch_size, *shapes.standardize(shape))
        elif batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        self.batch_shape = shapes.standardize(batch_shape)
        self._input_dtype = dtypes.as_dtype(settings.floatx() if dtype is None else dtype).name
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.optional = optional
        tensor = input_tensor
        if tensor is None:
            tensor = KerasTensor(self.batch_shape, self._input_dtype, name=self.name)
        if tensor._keras_history is None:
            Node(self, (), {}, tensor)
        else:
            self._inbound_nodes.append(_StandIn(self, tensor))
        self.built = True

    @property
    def dtype(self) -> str:
        """Element type of the input."""
        return self._input_dtype

    @property
    def input(self) -> Any:
        """The symbolic input, which is the output as well."""
        return self.output

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Give the input back."""
        return args[0] if args else None

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


class _StandIn:
    """Node of an input layer whose tensor was made elsewhere."""

    is_input = True

    def __init__(self, operation: Any, tensor: KerasTensor) -> None:
        self.operation, self.outputs, self.inputs = operation, [tensor], []
        self.args, self.kwargs, self.parent_nodes = (), {}, []
        self.output_tensors, self.input_tensors = self.outputs, self.inputs


def refuse_special(sparse: Any, ragged: Any) -> None:
    """Raise for sparse and ragged inputs."""
    if sparse or ragged:
        from_what = "sparse" if sparse else "ragged"
        raise NotImplementedError(
            f"Input({from_what}=True): {from_what} inputs are not offered. Feed dense tensors; for rows of "
            "unequal length "
            "pad them (`pad_sequences`) and use a Masking or Embedding(mask_zero=True) layer."
        )


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    ragged: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Symbolic input of a model.

    Args:
        shape: sizes without the batch axis; None for unknown ones.
        batch_size: size of the batch axis, None for any.
        dtype: element type; floatx if not given.
        sparse: must be False or None.
        batch_shape: sizes with the batch axis, instead of ``shape``.
        name: name of the input.
        tensor: existing symbolic tensor to use.
        optional: None may be passed for it.

    Returns:
        A ``KerasTensor``.

    References: Keras ``Input``.
    """
    if "batch_input_shape" in kwargs:
        batch_shape = kwargs.pop("batch_input_shape")
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
        **kwargs,
    )
    return layer.output
