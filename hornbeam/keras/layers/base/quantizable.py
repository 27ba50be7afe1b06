"""What quantised layers share: ``quantize``, their variables in files, and the dtype policy that tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.keras import dtype_policies
from hornbeam.keras.quantizers import Int4QuantizationConfig, QuantizationConfig
from hornbeam.keras.quantizers.configs import resolved_config
from hornbeam.keras.saving.serialization import serialize_keras_object

__all__ = ["Quantizable", "block_size_of"]


class Quantizable:
    """Mixed into layers that can be quantised.

    Subclasses give ``_quantized_values`` (new values of the variables), ``_new_variables`` (makes them, empty) and
    ``quantized_call``.
    """

    quantized_modes: tuple[str, ...] = ()
    quantized_kind: type
    name: str
    built: bool
    quantization_config: Any
    dtype_policy: Any
    _weights: list[Any]
    _is_quantized: bool = False
    _block_size: int | None = None

    # --- becoming quantised ----------------------------------------------------------------------
    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replace the layer's floats by smaller numbers.

        Args:
            mode: "int8", "int4" or "float8", as far as the layer has it; may be None beside a config.
            type_check: False also quantises subclasses, whose ``call`` must then not matter.
            config: a config of ``keras.quantizers``.

        Raises:
            ValueError: the layer is not built, is quantised already, or the mode does not fit.
            NotSupportedError: (a NotImplementedError) a subclass, or a mode that this layer does not have.

        References: Keras ``Layer.quantize``.
        """
        config = resolved_config(mode, config)
        mode = str(config.mode)
        self._check_quantize(mode, type_check)
        shape = self._kernel_shape()
        values = self._quantized_values(mode, config)
        self.quantization_config = config
        self._build_quantized(shape, mode, config)
        for name, value in values.items():
            self._variable(name).assign(value)
        if self.dtype_policy.quantization_mode is None:
            before = self.dtype_policy.name
            prefix = f"int4/{block_size_of(self, config) or -1}" if mode == "int4" else mode
            vars(self)["_dtype_policy"] = dtype_policies.get(f"{prefix}_from_{before}")
        self._changed()  # type: ignore[attr-defined]

    def _check_quantize(self, mode: str, type_check: bool) -> None:
        where = f"{type(self).__name__} '{self.name}'"
        if not self.built:
            raise ValueError(
                f"quantize(): {where} has no weights yet. Build it first: call it, or `build(input_shape)`."
            )
        if self._is_quantized:
            raise ValueError(
                f"quantize(): {where} is quantised already, as its policy {self.dtype_policy.name!r} says."
            )
        if mode == "int8" and self.dtype_policy.compute_dtype == "float16":
            raise ValueError(
                f"quantize(): int8 products of {where} leave the range of float16. Make the layer with 'bfloat16', "
                "'mixed_bfloat16' or 'float32'."
            )
        own_kind = type(self) is self.quantized_kind or not type_check
        if mode not in self.quantized_modes or not own_kind:
            raise NotSupportedError(
                explain(
                    f"{where} has no form for mode '{mode}'.",
                    expected=f"{self.quantized_kind.__name__} and one of {self.quantized_modes}",
                    received=f"{type(self).__name__} and mode={mode!r}",
                    fix="leave it out with `model.quantize(..., filters=...)`, or use a 'bfloat16' dtype policy for it",
                )
            )

    def _build_quantized(self, shape: Any, mode: str, config: Any) -> None:
        """``quantized_build``, whose first argument has a name of its own in each layer."""
        if mode not in self.quantized_modes:
            raise NotSupportedError(
                f"{type(self).__name__} '{self.name}' has no form for mode '{mode}'. It has {self.quantized_modes}."
            )
        self._block_size = block_size_of(self, config) if mode == "int4" else None
        self._new_variables(tuple(shape), mode, config)
        self._is_quantized = True

    def _kernel_shape(self) -> tuple[int, ...]:
        """Shape of the float weights; each kind of layer says it."""
        raise NotImplementedError

    def _quantized_values(self, mode: str, config: Any) -> dict[str, Any]:
        """Integers and scales of the float weights, by the name of the variable; each kind of layer says them."""
        raise NotImplementedError

    def _new_variables(self, shape: tuple[int, ...], mode: str, config: Any) -> None:
        """Make the variables of a mode for float weights of this shape; each kind of layer says which."""
        raise NotImplementedError

    def _replace(self, name: str, shape: tuple[int, ...], attribute: str | None = None) -> None:
        """Put integers in the place of a float variable."""
        # The base of low-rank factors lies under the name with an underscore, and stays there.
        held = f"_{name}" if f"_{name}" in vars(self) else name
        old = vars(self).pop(held, None)
        self._weights[:] = [weight for weight in self._weights if weight is not old]
        variable = self._frozen(name, shape, "zeros", "int8")
        setattr(self, attribute or held, variable)

    def _frozen(self, name: str, shape: tuple[int, ...], initializer: Any, dtype: Any = None, **options: Any) -> Any:
        return self.add_weight(  # type: ignore[attr-defined]
            name=name, shape=shape, initializer=initializer, dtype=dtype, trainable=False, **options
        )

    def _groups(self, rows: int) -> Any:
        """The block of each row. Not cast: 16 bits count to 256 only."""
        numbers = np.arange(rows) // (self._block_size or 1)
        return self._frozen("g_idx", (rows,), lambda shape, dtype=None: numbers, "float32", autocast=False)

    def _variable(self, name: str) -> Any:
        own = vars(self)
        return own.get(f"_{name}", own.get(name))

    # --- being quantised -------------------------------------------------------------------------
    @property
    def variable_serialization_spec(self) -> dict[str | None, list[str]]:
        """Names of the variables in the order in which files hold them, by mode."""
        raise NotImplementedError

    def _names_in_files(self) -> list[str]:
        names = self.variable_serialization_spec[self.dtype_policy.quantization_mode]
        return [name for name in names if self._variable(name) is not None]

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into a mapping, numbered in order."""
        if not self._is_quantized:
            super().save_own_variables(store)  # type: ignore[misc]
            return
        for index, name in enumerate(self._names_in_files()):
            store[str(index)] = np.asarray(self._variable(name))

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from a mapping.

        Raises:
            ValueError: their number differs.
        """
        if not self._is_quantized:
            super().load_own_variables(store)  # type: ignore[misc]
            return
        names = self._names_in_files()
        if len(store) != len(names):
            raise ValueError(
                f"Layer '{self.name}' of policy {self.dtype_policy.name!r} has {len(names)} variables, {names}, but "
                f"{len(store)} were stored for it. Load into a layer that was quantised in the same way."
            )
        for index, name in enumerate(names):
            self._variable(name).assign(np.asarray(store[str(index)]))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON-able values."""
        config = super().get_config()  # type: ignore[misc]
        return {**config, "quantization_config": serialize_keras_object(self.quantization_config)}


def block_size_of(layer: Any, config: Any) -> int | None:
    """Inputs that share a scale in 4-bit weights, from the config or else from the dtype policy; None for no blocks."""
    if isinstance(config, Int4QuantizationConfig):
        size = config.block_size
    else:
        size = getattr(layer.dtype_policy, "block_size", None)
    return None if size == -1 else size


def weight_quantizer(config: Any, default: Any) -> Any:
    """The quantizer of weights that a config names, else the default."""
    return QuantizationConfig.weight_quantizer_or_default(config, default)


def input_quantizer(config: Any, default: Any) -> Any:
    """The quantizer of inputs that a config names, else the default."""
    return QuantizationConfig.activation_quantizer_or_default(config, default)


def checked_config(layer: Any, config: Any) -> Any:
    """The constructor's ``quantization_config``.

    Raises:
        ValueError: no config.
    """
    if config is not None and not isinstance(config, QuantizationConfig):
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': `quantization_config` takes a config of `keras.quantizers`, or "
            f"None. Received: {config!r}"
        )
    return config


def add_bias(outputs: Any, bias: Any, activation: Any, rounded: bool = False) -> Any:
    """Bias and activation, as after any product.

    Args:
        outputs: the product.
        bias: or None.
        activation: or None.
        rounded: cast the bias to bfloat16 and back, so that it can be added on the way out of an 8-bit product.
    """
    if bias is not None:
        value = ops.convert_to_tensor(bias)
        if rounded and value.dtype == "float32":
            value = ops.cast(ops.cast(value, "bfloat16"), "float32")
        outputs = ops.add(outputs, value)
    return outputs if activation is None else activation(outputs)
