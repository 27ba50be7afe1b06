"""The quantised forms of ``Embedding`` and ``ReversibleEmbedding``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.keras import quantizers
from hornbeam.keras.layers.base.quantizable import Quantizable, input_quantizer, weight_quantizer
from hornbeam.keras.layers.base.quantized_products import block_einsum, dequantized_blocks, integer_einsum, letters
from hornbeam.keras.quantizers import AbsMaxQuantizer


class QuantizableTable(Quantizable):
    """A table of vectors; mixed into ``Embedding``.

    int8: a scale for each row. int4: pairs of a row's numbers packed, with a scale per row, or per row and block.
    """

    quantized_modes = ("int8", "int4")
    input_dim: int
    output_dim: int
    embeddings: Any
    _embeddings: Any
    compute_dtype: str
    lora_enabled: bool
    lora_alpha: Any
    lora_rank: Any
    _factors: Any
    quantized_kind = property(lambda self: _kind_of(self))  # type: ignore[assignment]

    # --- becoming quantised ----------------------------------------------------------------------
    def quantized_build(self, embeddings_shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of the quantised layer in place of its floats.

        Args:
            embeddings_shape: shape of the table.
            mode: how it is quantised.
            config: with what.
        """
        self._build_quantized(embeddings_shape or self._kernel_shape(), mode, config)

    def _kernel_shape(self) -> tuple[int, ...]:
        return (self.input_dim, self.output_dim)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        return self._quantized_adapted(self._variable("embeddings"), mode, config)

    def _quantized_adapted(self, floats: Any, mode: str, config: Any) -> dict[str, Any]:
        return _named("embeddings", *_quantized(floats, mode, config, axis=-1))

    def _new_variables(self, shape: tuple[int, ...], mode: str, config: Any) -> None:
        rows, size = shape
        if mode == "int8":
            self._replace("embeddings", shape)
            self.embeddings_scale = self._frozen("embeddings_scale", (rows,), "ones")
            return
        self._replace("embeddings", (rows, (size + 1) // 2), "_embeddings")
        if self._block_size is None:
            self.embeddings_scale = self._frozen("embeddings_scale", (rows,), "ones")
            return
        scale = (rows, -(-size // self._block_size))
        self.embeddings_scale = self._frozen("embeddings_scale", scale, "ones")
        self.embeddings_zero = self._frozen("embeddings_zero", scale, "zeros", "int8")
        self.g_idx = self._groups(size)

    @property
    def variable_serialization_spec(self) -> dict[str | None, list[str]]:
        """Names of the variables in the order in which files hold them, by mode."""
        return {
            None: ["embeddings"],
            "int8": ["embeddings", "embeddings_scale"],
            "int4": ["embeddings", "embeddings_scale", "embeddings_zero", "g_idx"],
        }

    # --- being quantised -------------------------------------------------------------------------
    def unpacked(self, stored: Any) -> Any:
        """The integers of a table; packed ones from their bytes."""
        if self.dtype_policy.quantization_mode != "int4":
            return stored
        return quantizers.unpack_int4(stored, self.output_dim, axis=-1)

    def _dequantized(self) -> Any:
        """The table as floats again, without the change of low rank."""
        rows = self._narrow(self.unpacked(self._variable("embeddings")))
        if self._block_size is None:
            return ops.divide(rows, ops.expand_dims(self.embeddings_scale, -1))
        return dequantized_blocks(rows, self.embeddings_scale, self.embeddings_zero, self.g_idx, axis=-1)

    def quantized_call(self, inputs: Any, training: Any = None) -> Any:
        """``call`` with a quantised table."""
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        scale = self._narrow(ops.take(self.embeddings_scale, inputs, axis=0))
        # Only the rows that are asked for are unpacked, not the table.
        rows = self._narrow(self.unpacked(ops.take(self._variable("embeddings"), inputs, axis=0)))
        if self._block_size is None:
            rows = ops.divide(rows, ops.expand_dims(scale, -1))
        else:
            rows = dequantized_blocks(rows, scale, ops.take(self.embeddings_zero, inputs, axis=0), self.g_idx, axis=-1)
        if self.lora_enabled:
            first, second = self._factors()
            change = ops.matmul(ops.take(first, inputs, axis=0), second)
            rows = ops.add(self._narrow(rows), (self.lora_alpha / self.lora_rank) * change)
        return self._narrow(rows)

    def _narrow(self, values: Any) -> Any:
        # By hand: these layers leave inputs and variables as they are, and scales are wider in mixed policies.
        return ops.cast(values, self.compute_dtype)


class QuantizableTwoWayTable(QuantizableTable):
    """A table that is also multiplied with; mixed into ``ReversibleEmbedding``."""

    tie_weights: bool
    reverse_embeddings: Any

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        found = super()._quantized_values(mode, config)
        if not self.tie_weights:
            found |= _named("reverse_embeddings", *_quantized(self.reverse_embeddings, mode, config, axis=0))
        return found

    def _new_variables(self, shape: tuple[int, ...], mode: str, config: Any) -> None:
        super()._new_variables(shape, mode, config)
        self.inputs_quantizer = input_quantizer(config, AbsMaxQuantizer(axis=-1))
        if self.tie_weights:
            return
        rows, size = shape
        stored = (size, rows) if mode == "int8" else ((size + 1) // 2, rows)
        self._replace("reverse_embeddings", stored)
        scale = (rows,) if self._block_size is None else (-(-size // self._block_size), rows)
        self.reverse_embeddings_scale = self._frozen("reverse_embeddings_scale", scale, "ones")
        if self._block_size is not None:
            self.reverse_embeddings_zero = self._frozen("reverse_embeddings_zero", scale, "zeros")

    @property
    def variable_serialization_spec(self) -> dict[str | None, list[str]]:
        """Names of the variables in the order in which files hold them, by mode."""
        found = super().variable_serialization_spec
        if not self.tie_weights:
            for mode, names in found.items():
                names += ["reverse_embeddings"] + (["reverse_embeddings_scale"] if mode else [])
            found["int4"].append("reverse_embeddings_zero")
        return found

    def quantized_call(self, inputs: Any, training: Any = None, reverse: bool = False) -> Any:
        """``call`` with quantised tables."""
        if not reverse:
            return super().quantized_call(inputs)
        # An axis None is the quantizer's own.
        options = {"quantizer": self.inputs_quantizer, "axis": None}
        ndim = len(inputs.shape)
        tied = self.tie_weights
        plan = letters("...a,ba->...b" if tied else "...a,ab->...b", ndim)
        if self._block_size is None:
            kernel, scale = self.unpacked(self._variable("embeddings")), self.embeddings_scale
            if not tied:
                kernel, scale = self.reverse_embeddings, self.reverse_embeddings_scale
                if self.dtype_policy.quantization_mode == "int4":
                    kernel = quantizers.unpack_int4(kernel, self.output_dim, axis=0)
            outputs = integer_einsum(inputs, kernel, self._narrow(scale), plan, **options)
            return self._narrow(outputs)
        if tied:
            matrix = ops.transpose(self.unpacked(self._variable("embeddings")))
            scale, zero = ops.transpose(self.embeddings_scale), ops.transpose(self.embeddings_zero)
        else:
            matrix = quantizers.unpack_int4(self.reverse_embeddings, self.output_dim, axis=0)
            scale, zero = self.reverse_embeddings_scale, self.reverse_embeddings_zero
        plan, scale = letters("...a,ab->...b", ndim), self._narrow(scale)
        shape = (self.output_dim, self.input_dim)
        outputs = block_einsum(inputs, matrix, scale, zero, self.g_idx, plan, shape, None, **options)
        return self._narrow(outputs)


def _quantized(table: Any, mode: str, config: Any, axis: int) -> tuple[Any, Any, Any]:
    """Integers (4-bit ones packed along the axis), scales and perhaps zeros of a table of vectors along an axis."""
    if mode == "int4" and config.block_size not in (None, -1):
        rows = np.asarray(table)
        rows = rows.T if axis == -1 else rows
        found = quantizers.abs_max_quantize_grouped_with_zero_point(rows, config.block_size, to_numpy=True)
        table, scale, zero = (np.asarray(one).T if axis == -1 else np.asarray(one) for one in found)
        return quantizers.pack_int4(ops.convert_to_tensor(np.ascontiguousarray(table)), axis=axis)[0], scale, zero
    default = AbsMaxQuantizer(axis=axis, value_range=(-127, 127) if mode == "int8" else (-8, 7))
    integers, scale = weight_quantizer(config, default)(table, to_numpy=True)
    scale = np.squeeze(np.asarray(scale), axis=axis)
    return (integers if mode == "int8" else quantizers.pack_int4(integers, axis=axis)[0]), scale, None


def _named(name: str, integers: Any, scale: Any, zero: Any) -> dict[str, Any]:
    found = {name: integers, f"{name}_scale": scale}
    return found if zero is None else {**found, f"{name}_zero": zero}


def _kind_of(layer: Any) -> type:
    """The class itself that mixes this in, not one derived from it."""
    mixins = (QuantizableTable, QuantizableTwoWayTable)
    kinds = [kind for kind in type(layer).__mro__ if any(one in kind.__bases__ for one in mixins)]
    return next(kind for kind in kinds if kind not in mixins)
