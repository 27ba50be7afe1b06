"""What ``model.quantize`` is told: which integers, and which quantizers make them."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import ArgumentError, NotSupportedError, explain
from hornbeam.keras.quantizers.quantizer import AbsMaxQuantizer
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "AWQConfig",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "resolved_config",
]
MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizationConfig:
    """Base of the configs.

    Args:
        weight_quantizer: makes integers of the weights; None for that of the layer.
        activation_quantizer: makes integers of the inputs; None leaves them floats.

    References: Keras ``quantizers.QuantizationConfig``.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """What to quantise to: one of the modes of ``model.quantize``."""
        raise NotImplementedError(
            "Use one of the subclasses of QuantizationConfig, for example Int8QuantizationConfig."
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {
            "weight_quantizer": serialize_keras_object(self.weight_quantizer),
            "activation_quantizer": serialize_keras_object(self.activation_quantizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> QuantizationConfig:
        """The config that ``get_config`` described."""
        names = ("weight_quantizer", "activation_quantizer")
        return cls(**{name: deserialize_keras_object(config.get(name)) for name in names})

    @staticmethod
    def weight_quantizer_or_default(config: Any, default: Any) -> Any:
        """The config's quantizer of weights, else another one."""
        given = None if config is None else config.weight_quantizer
        return default if given is None else given

    @staticmethod
    def activation_quantizer_or_default(config: Any, default: Any) -> Any:
        """The config's quantizer of inputs (None: they stay floats); another one where there is no config."""
        return default if config is None else config.activation_quantizer


class Int8QuantizationConfig(QuantizationConfig):
    """8-bit integers.

    Args:
        weight_quantizer: makes integers of the weights.
        activation_quantizer: makes integers of the inputs; "default" for ``AbsMaxQuantizer()``, None for float inputs.

    References: Keras ``quantizers.Int8QuantizationConfig``.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        _check_output(self, "int8")

    @property
    def mode(self) -> str:
        """``"int8"``."""
        return "int8"


class Int4QuantizationConfig(QuantizationConfig):
    """4-bit integers, two in a byte.

    Args:
        weight_quantizer: makes integers of the weights, from -8 to 7.
        activation_quantizer: makes integers of the inputs; by default they stay floats.
        block_size: inputs that share a scale and a zero; None or -1 for one scale per output.

    Raises:
        ValueError: a block size below 1, or quantizers of one's own with blocks.

    References: Keras ``quantizers.Int4QuantizationConfig``.
    """

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ) -> None:
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = None
        super().__init__(weight_quantizer, activation_quantizer)
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ArgumentError(
                f"Int4QuantizationConfig: `block_size` is a number of inputs, or None or -1 for no blocks. Received: "
                f"block_size={block_size}"
            )
        self.block_size = block_size
        custom = weight_quantizer is not None or activation_quantizer is not None
        if block_size is not None and block_size > 0 and custom:
            raise ArgumentError(
                explain(
                    "Int4QuantizationConfig: blocks are quantised in a way of their own.",
                    expected="no quantizers beside `block_size`",
                    received=f"block_size={block_size} and a quantizer",
                    fix="pass `block_size=None` with your quantizers",
                )
            )
        if weight_quantizer is not None and tuple(weight_quantizer.value_range) != (-8, 7):
            raise ArgumentError(
                "Int4QuantizationConfig: `weight_quantizer` must have value_range=(-8, 7). Received: "
                f"{weight_quantizer.value_range}"
            )
        _check_output(self, "int8")

    @property
    def mode(self) -> str:
        """``"int4"``."""
        return "int4"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Int4QuantizationConfig:
        names = ("weight_quantizer", "activation_quantizer")
        given = {name: deserialize_keras_object(config.get(name)) for name in names}
        return cls(**given, block_size=config.get("block_size"))


class Float8QuantizationConfig(QuantizationConfig):
    """8-bit floats, for training and for use; scales follow the data.

    References: Keras ``quantizers.Float8QuantizationConfig``.
    """

    def __init__(self) -> None:
        super().__init__(None, None)

    @property
    def mode(self) -> str:
        """``"float8"``."""
        return "float8"

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Float8QuantizationConfig:
        return cls()


class GPTQConfig(QuantizationConfig):
    """How GPTQ would quantise weights by the help of sample data. Models cannot be quantised by it here.

    Args:
        dataset: sample data.
        tokenizer: what makes numbers of its texts.
        weight_bits: 2, 3, 4 or 8.
        num_samples: samples taken.
        per_channel: a scale per output channel.
        sequence_length: tokens of a sample.
        hessian_damping: 0 to 1.
        group_size: weights that share a scale; -1 for all of a channel.
        symmetric: no zero points.
        activation_order: quantise the weights of large inputs first.
        quantization_layer_structure: which layers, in which order.

    Raises:
        ValueError: a value out of its range.

    References: Keras ``quantizers.GPTQConfig``.
    """

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        per_channel: bool = True,
        sequence_length: int = 512,
        hessian_damping: float = 0.01,
        group_size: int = 128,
        symmetric: bool = False,
        activation_order: bool = False,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if weight_bits not in (2, 3, 4, 8):
            raise ArgumentError(f"GPTQConfig: `weight_bits` is 2, 3, 4 or 8. Received: {weight_bits}")
        if not 0 <= hessian_damping <= 1:
            raise ArgumentError(f"GPTQConfig: `hessian_damping` lies from 0 to 1. Received: {hessian_damping}")
        _check_counts(self, num_samples=num_samples, sequence_length=sequence_length)
        _check_group(self, group_size)
        self.dataset, self.tokenizer = dataset, tokenizer
        self.weight_bits, self.group_size = weight_bits, group_size
        self.num_samples, self.sequence_length = num_samples, sequence_length
        self.per_channel, self.symmetric = per_channel, symmetric
        self.hessian_damping, self.activation_order = hessian_damping, activation_order
        self.quantization_layer_structure = quantization_layer_structure

    @property
    def mode(self) -> str:
        """``"gptq"``."""
        return "gptq"

    def dtype_policy_string(self) -> str:
        """First part of the name of the dtype policy."""
        return f"gptq/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        names = (
            "weight_bits num_samples per_channel sequence_length hessian_damping group_size symmetric activation_order "
            "quantization_layer_structure"
        )
        return _sample_free_config(self, names)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> GPTQConfig:
        return cls(**config)


class AWQConfig(QuantizationConfig):
    """How AWQ would quantise weights by the help of sample data. Models cannot be quantised by it here.

    Args:
        dataset: sample data.
        tokenizer: what makes numbers of its texts.
        weight_bits: 4.
        num_samples: samples taken.
        sequence_length: tokens of a sample.
        group_size: weights that share a scale; -1 for all of a channel.
        num_grid_points: scales tried.
        quantization_layer_structure: which layers, in which order.

    Raises:
        ValueError: a value out of its range.

    References: Keras ``quantizers.AWQConfig``.
    """

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        sequence_length: int = 512,
        group_size: int = 128,
        num_grid_points: int = 20,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if weight_bits != 4:
            raise ArgumentError(f"AWQConfig: `weight_bits` is 4. Received: {weight_bits}")
        _check_counts(self, num_samples=num_samples, sequence_length=sequence_length, num_grid_points=num_grid_points)
        _check_group(self, group_size)
        self.dataset, self.tokenizer = dataset, tokenizer
        self.weight_bits, self.group_size = weight_bits, group_size
        self.num_samples, self.sequence_length = num_samples, sequence_length
        self.num_grid_points = num_grid_points
        self.quantization_layer_structure = quantization_layer_structure

    @property
    def mode(self) -> str:
        """``"awq"``."""
        return "awq"

    def dtype_policy_string(self) -> str:
        """First part of the name of the dtype policy."""
        return f"awq/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        names = "weight_bits num_samples sequence_length group_size num_grid_points quantization_layer_structure"
        return _sample_free_config(self, names)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AWQConfig:
        return cls(**config)


def resolved_config(mode: str | None, config: Any) -> QuantizationConfig:
    """The config that the arguments of ``quantize`` mean.

    Args:
        mode: "int8", "int4" or "float8"; may be None beside a config.
        config: a config, a mode, or None for the mode's default.

    Raises:
        ValueError: no mode, an unknown one, or one that contradicts the config.
        NotSupportedError: GPTQ or AWQ.
    """
    if isinstance(config, str):
        mode, config = config, None
    if config is not None and not isinstance(config, QuantizationConfig):
        raise ArgumentError(
            f"quantize(): `config` takes a config of `keras.quantizers`. Received: {config!r} of type "
            f"{type(config).__name__}"
        )
    if config is not None and mode is not None and config.mode != mode:
        raise ArgumentError(f"quantize(): mode '{mode}' contradicts the config, which is for '{config.mode}'.")
    wanted = mode if config is None else config.mode
    if wanted not in MODES:
        raise ArgumentError(f"quantize(): `mode` is one of {', '.join(MODES[:3])}. Received: mode={wanted!r}")
    if wanted in ("gptq", "awq"):
        raise NotSupportedError(
            explain(
                f"quantize(): '{wanted}', which fits the integers to sample data, is not offered.",
                expected="'int8', 'int4' or 'float8'",
                received=f"mode={wanted!r}",
                fix="use 'int4', in which each block of weights has a scale of its own",
            )
        )
    if config is not None:
        return config
    defaults = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig, "float8": Float8QuantizationConfig}
    return defaults[wanted]()


def _check_output(config: QuantizationConfig, dtype: str) -> None:
    quantizer = config.weight_quantizer
    if quantizer is not None and quantizer.output_dtype != dtype:
        raise ArgumentError(
            f"{type(config).__name__}: `weight_quantizer` must have output_dtype='{dtype}'. Received: "
            f"{quantizer.output_dtype!r}"
        )


def _check_counts(config: QuantizationConfig, **counts: int) -> None:
    for name, value in counts.items():
        if value <= 0:
            raise ArgumentError(f"{type(config).__name__}: `{name}` is a count of at least 1. Received: {value}")


def _check_group(config: QuantizationConfig, group_size: int) -> None:
    if group_size < -1 or group_size == 0:
        raise ArgumentError(
            f"{type(config).__name__}: `group_size` is a number of weights, or -1 for no groups. Received: {group_size}"
        )


def _sample_free_config(config: Any, names: str) -> dict[str, Any]:
    # The data were needed once, and are not stored.
    return {"dataset": None, "tokenizer": None, **{name: getattr(config, name) for name in names.split()}}
