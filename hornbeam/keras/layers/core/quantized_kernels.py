"""The quantised forms of ``Dense`` and ``EinsumDense``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.keras import quantizers
from hornbeam.keras.dtype_policies import QuantizedFloat8DTypePolicy
from hornbeam.keras.layers.base.quantizable import Quantizable, add_bias, input_quantizer, weight_quantizer
from hornbeam.keras.layers.base.quantized_products import (
    EinsumLetters,
    block_einsum,
    block_rows,
    dequantized_blocks,
    float8_inputs,
    float8_outputs,
    integer_einsum,
    letters,
)
from hornbeam.keras.quantizers import AbsMaxQuantizer

_FLOAT8 = ("inputs", "kernel", "outputs_grad")


class QuantizableKernel(Quantizable):
    """A layer that multiplies its inputs with a kernel; mixed into ``Dense`` and ``EinsumDense``.

    int8: a scale for each output, laid out as the outputs. int4: the kernel as a matrix (summed axes, other axes),
    packed, with a scale per column, or per column and block of rows. float8: the floats stay, and are rounded in calls.
    """

    quantized_modes = ("int8", "int4", "float8")
    kernel: Any
    _kernel: Any
    bias: Any
    activation: Any
    compute_dtype: str
    lora_enabled: bool
    lora_alpha: Any
    lora_rank: Any
    _factors: Any
    quantized_kind = property(lambda self: _kind_of(self))  # type: ignore[assignment]

    def _equation(self) -> str:
        """The product as an ``einsum`` of inputs and kernel; each layer says it."""
        raise NotImplementedError

    def _make_kernel(self, shape: tuple[int, ...], initializer: Any) -> None:
        """The kernel as the dtype policy wants it."""
        mode = self.dtype_policy.quantization_mode
        if mode is not None:
            self._build_quantized(shape, mode, self.quantization_config)
        if mode in (None, "float8"):
            self.kernel = self.add_weight(  # type: ignore[attr-defined]
                name="kernel",
                shape=shape,
                initializer=initializer,
                regularizer=self.kernel_regularizer,  # type: ignore[attr-defined]
                constraint=self.kernel_constraint,  # type: ignore[attr-defined]
            )

    # --- becoming quantised ----------------------------------------------------------------------
    def quantized_build(self, kernel_shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of the quantised layer in place of its floats.

        Args:
            kernel_shape: shape of the kernel.
            mode: how it is quantised.
            config: with what.
        """
        self._build_quantized(kernel_shape, mode, config)

    def _kernel_shape(self) -> tuple[int, ...]:
        return self._shape if self._is_quantized else tuple(self._variable("kernel").shape)

    def _is_matrix(self) -> bool:
        return self._equation() == "...a,ab->...b"

    def _plan(self, ndim: int | None = None) -> EinsumLetters:
        """The equation's letters for inputs of as many axes; those of the build if not given."""
        if ndim is None:
            ndim = 2 if self._is_matrix() else self.input_spec.ndim  # type: ignore[attr-defined]
        return letters(self._equation(), ndim)

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        return {} if mode == "float8" else self._quantized_adapted(self._variable("kernel"), mode, config)

    def _quantized_adapted(self, floats: Any, mode: str, config: Any) -> dict[str, Any]:
        plan, shape = self._plan(), self._kernel_shape()
        if mode == "int8":
            quantizer = weight_quantizer(config, AbsMaxQuantizer(axis=plan.summed_of_kernel))
            kernel, scale = quantizer(floats, to_numpy=True)
            return {"kernel": kernel, "kernel_scale": self._scale_for_outputs(np.asarray(scale), plan)}
        matrix = np.asarray(floats).reshape(block_rows(shape, plan))
        found: dict[str, Any] = {}
        if config.block_size in (None, -1):
            quantizer = AbsMaxQuantizer(axis=0, value_range=(-8, 7))
            if self._is_matrix():
                quantizer = weight_quantizer(config, quantizer)
            kernel, scale = quantizer(matrix, to_numpy=True)
            found["kernel_scale"] = np.asarray(scale)[0]
        else:
            kernel, found["kernel_scale"], found["kernel_zero"] = quantizers.abs_max_quantize_grouped_with_zero_point(
                matrix, config.block_size, to_numpy=True
            )
        return {"kernel": quantizers.pack_int4(kernel, axis=-1)[0], **found}

    def _scale_for_outputs(self, scale: np.ndarray, plan: EinsumLetters) -> np.ndarray:
        if self._is_matrix():
            return scale[0]
        return np.asarray(plan.to_outputs(scale, plan.kernel))

    def _new_variables(self, shape: tuple[int, ...], mode: str, config: Any) -> None:
        self._shape = shape
        if mode == "float8":
            self._new_float8_variables()
            return
        plan = self._plan()
        self._columns = block_rows(shape, plan)[1]
        rows = block_rows(shape, plan)[0]
        if mode == "int8":
            self.inputs_quantizer = input_quantizer(config, AbsMaxQuantizer())
            self._replace("kernel", shape)
            scale = (shape[1],) if self._is_matrix() else plan.scale_shape(shape)
            self.kernel_scale = self._frozen("kernel_scale", scale, "ones")
            return
        self.inputs_quantizer = input_quantizer(config, None)
        self._replace("kernel", (rows, (self._columns + 1) // 2), "_kernel")
        if self._block_size is None:
            self.kernel_scale = self._frozen("kernel_scale", (self._columns,), "ones")
            return
        scale = (-(-rows // self._block_size), self._columns)
        self.kernel_scale = self._frozen("kernel_scale", scale, "ones")
        self.kernel_zero = self._frozen("kernel_zero", scale, "zeros", "int8")
        self.g_idx = self._groups(rows)

    def _new_float8_variables(self) -> None:
        steps = getattr(
            self.dtype_policy, "amax_history_length", QuantizedFloat8DTypePolicy.default_amax_history_length
        )
        for name in _FLOAT8:
            for suffix, shape, start in (("scale", (), "ones"), ("amax_history", (steps,), "zeros")):
                variable = self.add_weight(  # type: ignore[attr-defined]
                    name=f"{name}_{suffix}",
                    shape=shape,
                    initializer=start,
                    dtype="float32",
                    autocast=False,
                    overwrite_with_gradient=True,
                )
                setattr(self, f"{name}_{suffix}", variable)

    @property
    def variable_serialization_spec(self) -> dict[str | None, list[str]]:
        """Names of the variables in the order in which files hold them, by mode."""
        float8 = [f"{name}_{suffix}" for name in _FLOAT8 for suffix in ("scale", "amax_history")]
        fitted = ["bias", "quantized_kernel", "kernel_scale", "kernel_zero"]
        return {
            None: ["kernel", "bias"],
            "int8": ["kernel", "bias", "kernel_scale"],
            "int4": ["kernel", "bias", "kernel_scale", "kernel_zero", "g_idx"],
            "float8": ["kernel", "bias", *float8],
            "gptq": [*fitted, "g_idx"],
            "awq": [*fitted, "awq_scales", "g_idx"],
        }

    # --- being quantised -------------------------------------------------------------------------
    def unpacked(self, stored: Any) -> Any:
        """The integers of a kernel, in its shape; packed ones from their bytes."""
        if self.dtype_policy.quantization_mode != "int4":
            return stored
        return ops.reshape(quantizers.unpack_int4(stored, self._columns, axis=-1), self._shape)

    def _dequantized(self) -> Any:
        """The kernel as floats again, without the change of low rank."""
        plan, stored, scale = self._plan(), self._variable("kernel"), ops.convert_to_tensor(self.kernel_scale)
        if self.dtype_policy.quantization_mode == "int8":
            kernel = plan.to_kernel(np.asarray(scale))
            return ops.divide(ops.cast(stored, self.compute_dtype), ops.convert_to_tensor(kernel))
        matrix = quantizers.unpack_int4(stored, self._columns, axis=-1)
        if self._block_size is None:
            matrix = ops.divide(ops.cast(matrix, self.compute_dtype), scale)
        else:
            matrix = dequantized_blocks(matrix, scale, self.kernel_zero, self.g_idx, axis=0)
        return ops.reshape(matrix, self._shape)

    def quantized_call(self, inputs: Any, training: Any = None) -> Any:
        """``call`` with quantised weights."""
        mode = self.dtype_policy.quantization_mode
        plan = self._plan(len(inputs.shape))
        if mode == "float8":
            return self._float8_call(inputs, plan, bool(training))
        axis = -1 if self._is_matrix() else plan.summed
        kernel = self._variable("kernel")
        if mode == "int8" or (self._block_size is None and self._is_matrix()):
            kernel = self.unpacked(kernel)
            outputs = integer_einsum(inputs, kernel, self.kernel_scale, plan, self.inputs_quantizer, axis)
        elif self._block_size is None:
            outputs = integer_einsum(inputs, kernel, self.kernel_scale, plan, self.inputs_quantizer, axis, self._shape)
        else:
            variables = (kernel, self.kernel_scale, self.kernel_zero, self.g_idx)
            outputs = block_einsum(inputs, *variables, plan, self._shape, self._columns)
        outputs = ops.cast(outputs, self.compute_dtype)
        if self.lora_enabled:
            outputs = ops.cast(ops.add(outputs, self._changed_outputs(inputs, plan)), self.compute_dtype)
        return add_bias(outputs, self.bias, self.activation)

    def _changed_outputs(self, inputs: Any, plan: EinsumLetters) -> Any:
        """What the low-rank factors add to the outputs."""
        first, second = self._factors()
        scale = self.lora_alpha / self.lora_rank
        if plan.kernel[-1] != plan.outputs[-1]:
            return scale * ops.einsum(f"{plan.inputs},{plan.kernel}->{plan.outputs}", inputs, ops.matmul(first, second))
        # The rank stands where the kernel's last axis stood, so the small factor can be multiplied last.
        narrow = ops.einsum(f"{plan.inputs},{plan.kernel}->{plan.outputs}", inputs, first)
        return scale * ops.matmul(narrow, second)

    def _float8_call(self, inputs: Any, plan: EinsumLetters, training: bool) -> Any:
        inputs = float8_inputs(inputs, self.inputs_scale, self.inputs_amax_history, training)  # type: ignore[attr-defined]
        kernel = float8_inputs(self.kernel, self.kernel_scale, self.kernel_amax_history, training)  # type: ignore[attr-defined]
        outputs = ops.einsum(f"{plan.inputs},{plan.kernel}->{plan.outputs}", inputs, kernel)
        outputs = float8_outputs(outputs, self.outputs_grad_scale, self.outputs_grad_amax_history)  # type: ignore[attr-defined]
        return add_bias(outputs, self.bias, self.activation, rounded=True)


def _kind_of(layer: Any) -> type:
    """The class itself that mixes this in, not one derived from it."""
    return next(kind for kind in reversed(type(layer).__mro__) if QuantizableKernel in kind.__bases__)
