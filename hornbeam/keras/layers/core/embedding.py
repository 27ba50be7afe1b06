"""``Embedding``: integers to vectors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import explain
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.engine.jax_compat import ArrayImpl
from hornbeam.errors import InvalidArgumentError
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.base.low_rank import LowRank
from hornbeam.keras.layers.base.quantizable import checked_config
from hornbeam.keras.layers.base.variants import MadeByBuild
from hornbeam.keras.layers.core.quantized_tables import QuantizableTable


class Embedding(LowRank, QuantizableTable, Layer):
    """Table of vectors: each integer becomes the row of that number.

    Args:
        input_dim: number of rows, one more than the largest integer.
        output_dim: size of the vectors.
        embeddings_initializer: initial values of the table.
        embeddings_regularizer: penalty on the table.
        embeddings_constraint: projection of the table after each update.
        mask_zero: integer 0 stands for "nothing here": the outputs carry a mask that is False there.
        weights: the table, instead of initial values.
        lora_rank: if given, the table is frozen and this many columns of low-rank factors are trained; see
            ``enable_lora``.
        lora_alpha: how much the factors count, times the rank; the rank by default.
        quantization_config: how the table is quantised, where the dtype policy says that it is.

    Input shape: any, of integers; floats are cut to integers.
    Output shape: input shape and a last axis ``output_dim``, in the layer's compute dtype. Integers that are no row's
        number give NaN.

    Raises:
        ValueError: a size is not a positive int.
        InvalidArgumentError: an eager call on CPU with a number that has no row. Inside a compiled program (a model's
            call, ``fit``) and on other devices such a number becomes a row of NaN; -1 is the last row, as in NumPy.

    References: Keras ``layers.Embedding``.
    """

    embeddings: Any = MadeByBuild("embeddings")
    adapted = "embeddings"

    pure = True
    unserialized = frozenset({"weights", "lora_rank", "lora_alpha"})
    input_dtype_hint = "int32"
    """Dtype that a model guesses for its input when this layer comes first: large integers are not exact in floats."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        _positive("input_dim", input_dim)
        _positive("output_dim", output_dim)
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Argument `input_length` is deprecated. Just remove it.", stacklevel=2)
        super().__init__(**kwargs)
        self._take_lora(lora_rank, lora_alpha)
        self.quantization_config = checked_config(self, quantization_config)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            if not (isinstance(weights, list) and len(weights) == 1):
                weights = [weights]
            self.set_weights(weights)

    def build(self, input_shape: Any = None) -> None:
        """Create the table."""
        if self.built:
            return
        mode = self.quantization_mode
        if mode is not None:
            self.quantized_build(self._kernel_shape(), mode, self.quantization_config)
        else:
            self.embeddings = self.add_weight(
                name="embeddings",
                shape=(self.input_dim, self.output_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )
        self.built = True
        self._begin_lora()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            self._check_range(args[0])
        return super().__call__(*args, **kwargs)

    def _check_range(self, inputs: Any) -> None:
        """Refuse numbers without a row where they can be seen at no cost: compiled programs give NaN for them."""
        if isinstance(inputs, Tensor):
            inputs = inputs._value
            if type(inputs) is not ArrayImpl or next(iter(inputs.devices())).platform != "cpu":
                return
        if not isinstance(inputs, (np.ndarray, ArrayImpl)) or not inputs.size:
            return
        numbers = np.asarray(inputs)
        if numbers.dtype.kind not in "iu":
            return
        low, high = int(numbers.min()), int(numbers.max())
        if low < -self.input_dim or high >= self.input_dim:
            raise InvalidArgumentError(
                None,
                None,
                explain(
                    f"Embedding '{self.name}' has no row for some of the numbers.",
                    expected=f"0 to {self.input_dim - 1}, as input_dim={self.input_dim}",
                    received=f"{low} to {high}",
                    fix=f"make `input_dim` at least {high + 1}, or number the words anew",
                ),
            )

    def call(self, inputs: Any) -> Any:
        """Rows of the table."""
        if self._is_quantized:
            return self.quantized_call(inputs)
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings, inputs, axis=0), self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """False where the integer is 0, if that means "nothing here"."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with a last axis ``output_dim``."""
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(tuple(inputs.shape)), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }


def _positive(argument: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(
            f"`{argument}` must be a positive integer. Received: {argument}={value} (of type {type(value).__name__})."
        )
