"""Low-rank adaptation (LoRA) of layers that have a kernel or a table: two small factors are trained in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import check
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.scopes import override
from hornbeam.core.variable import Variable
from hornbeam.keras import initializers
from hornbeam.keras.layers.base import tracking
from hornbeam.keras.quantizers import Int4QuantizationConfig, Int8QuantizationConfig

__all__ = ["LowRank"]

_INTEGERS = ("int8", "int4")


class _Base:
    """The variable behind ``kernel`` or ``embeddings``, without what the factors add: ``layer._kernel``."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        found = vars(layer).get(self.attribute)
        if found is None:
            raise AttributeError(f"{owner.__name__} '{vars(layer).get('name')}' has no `_{self.attribute}`.")
        return found


class LowRank:
    """``enable_lora``: freeze the weight of a layer and train the factors of a small change of it instead.

    The layer computes with ``base + lora_alpha / lora_rank * (a @ b)``; ``a`` has the base's shape with the last size
    replaced by the rank, ``b`` is ``(rank, last size)``. While the factors are there, the base lies under the
    attribute's name with an underscore, and the attribute (``kernel``, ``embeddings``) is the sum. Files hold the sum.
    The base may be integers (int8, int4); the change is then added to the outputs, and files hold the integers of the
    sum.

    Subclasses name the weight in ``adapted``, and call ``_take_lora`` in the constructor and ``_begin_lora`` at the end
    of ``build``.

    Attributes:
        lora_rank: the rank, or None.
        lora_alpha: how much the change counts, times the rank; the rank itself by default.
        lora_enabled: whether the factors are there.
    """

    adapted = "kernel"
    name: str
    built: bool
    compute_dtype: str
    _is_quantized: bool = False
    lora_enabled: bool = False
    lora_rank: int | None = None
    lora_alpha: float | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if LowRank in cls.__bases__:
            setattr(cls, f"_{cls.adapted}", _Base(cls.adapted))

    def _take_lora(self, lora_rank: Any, lora_alpha: Any) -> None:
        self.lora_rank = lora_rank
        self.lora_alpha = lora_rank if lora_alpha is None else lora_alpha

    def _begin_lora(self) -> None:
        """Make the factors of a layer just built, if its constructor was told a rank."""
        if self.lora_rank:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the layer's kernel or table, and train the factors of a change of low rank.

        Models that were compiled before must be compiled again.

        Args:
            rank: columns of the first factor and rows of the second, at least 1.
            lora_alpha: the change is multiplied by ``lora_alpha / rank``; the rank by default.
            a_initializer: initial values of the first factor.
            b_initializer: initial values of the second one; zeros leave the layer's outputs as they are.

        Raises:
            ValueError: the layer is not built, has the factors already, or a constraint on the weight.
            NotSupportedError: the layer computes with 8-bit floats.

        Example:
            for layer in model.layers:
                if hasattr(layer, "enable_lora"):
                    layer.enable_lora(4)
            model.compile("adam", "mse")

        References: Keras ``Dense.enable_lora``; Hu et al. 2021, arXiv:2106.09685.
        """
        name = self.adapted
        self._check_lora(name)
        rank = check.positive_int("rank", rank, owner=self)
        base = self._adapted_base()
        add: Any = self.add_weight  # type: ignore[attr-defined]
        # 32 bits whatever the layer's dtype, as the updates of the factors are small.
        options = {"dtype": "float32", "regularizer": getattr(self, f"{name}_regularizer")}
        shape = self._kernel_shape() if self._is_quantized else tuple(base.shape)  # type: ignore[attr-defined]
        # They stand beside the weight, whatever is open now.
        with override(names=tuple(base.path.split("/")[:-1])):
            first = add(
                name=f"lora_{name}_a", shape=(*shape[:-1], rank), initializer=initializers.get(a_initializer), **options
            )
            second = add(
                name=f"lora_{name}_b", shape=(rank, shape[-1]), initializer=initializers.get(b_initializer), **options
            )
        base.trainable = False
        vars(self).pop(name, None)
        vars(self)[f"_{name}"] = base
        setattr(self, f"lora_{name}_a", first)
        setattr(self, f"lora_{name}_b", second)
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        self.lora_enabled = True

    def _check_lora(self, name: str) -> None:
        where = f"enable_lora(): {type(self).__name__} '{self.name}'"
        if getattr(self, f"{name}_constraint") is not None:
            raise ValueError(
                f"{where} keeps its {name} in bounds by `{name}_constraint`, which a sum with low-rank factors would "
                f"leave. Make the layer without `{name}_constraint`."
            )
        if not self.built:
            raise ValueError(f"{where} has no weights yet. Call it on data first, or `layer.build(input_shape)`.")
        if self.lora_enabled:
            raise ValueError(
                f"{where} has its factors already, of rank {self.lora_rank}. A layer can be adapted once; make it anew "
                "for another rank."
            )
        if self._is_quantized and self.dtype_policy.quantization_mode not in _INTEGERS:  # type: ignore[attr-defined]
            raise _not_both(self, "enable_lora()")
        if not isinstance(self._adapted_base(), Variable):
            raise ValueError(
                f"{where} has no variable `{name}` of its own to adapt. Adapt the layer that made it, or set "
                f"`layer.{name}` to a variable."
            )

    def _adapted_base(self) -> Any:
        """The variable that is frozen: under its own name, or under that with an underscore."""
        own = vars(self)
        return own.get(self.adapted, own.get(f"_{self.adapted}"))

    def _change(self) -> Any:
        scale: Any = self.lora_alpha
        return (scale / self.lora_rank) * ops.matmul(*self._factors())

    def _with_factors(self, base: Any) -> Any:
        """The frozen weight and the change: what a layer of floats computes with."""
        return ops.cast(ops.add(base, self._change()), self.compute_dtype)

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Replace the layer's floats by smaller numbers; low-rank factors stay beside them.

        Args:
            mode: as of ``Layer.quantize``; "float8" is not offered while there are factors.
            type_check: likewise.
            config: likewise.

        Raises:
            NotSupportedError: 8-bit floats for a layer with low-rank factors.
        """
        if self.lora_enabled and mode == "float8":
            raise _not_both(self, "quantize()")
        super().quantize(mode, type_check=type_check, config=config)  # type: ignore[misc]

    # --- files -----------------------------------------------------------------------------------
    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into a mapping: the sum of the weight and the change, and the others."""
        if not self.lora_enabled:
            super().save_own_variables(store)  # type: ignore[misc]
            return
        if self._is_quantized:
            values = self._quantized_sum()
            for index, name in enumerate(self._names_in_files()):  # type: ignore[attr-defined]
                store[str(index)] = np.asarray(values.get(name, self._variable(name)))  # type: ignore[attr-defined]
            return
        base = self._adapted_base()
        for index, variable in enumerate(self._without_factors()):
            value = self._with_factors(base) if variable is base else variable
            store[str(index)] = np.asarray(value)

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from a mapping; the change is in the weight then, and the factors are zeros.

        Raises:
            ValueError: the number of variables differs.
        """
        if not self.lora_enabled:
            super().load_own_variables(store)  # type: ignore[misc]
            return
        if self._is_quantized:
            super().load_own_variables(store)  # type: ignore[misc]
        else:
            self._load_floats(store)
        for factor in self._factors():
            factor.assign(np.zeros(tuple(factor.shape), "float32"))

    def _load_floats(self, store: Any) -> None:
        own = self._without_factors()
        if len(store) != len(own):
            raise ValueError(
                f"Layer '{self.name}' takes {len(own)} variables, {[one.name for one in own]} (low-rank factors are "
                f"part of the {self.adapted} in files), but {len(store)} were stored for it."
            )
        for index, variable in enumerate(own):
            variable.assign(np.asarray(store[str(index)]))

    def _quantized_sum(self) -> dict[str, Any]:
        """Integers and scales of the dequantised base with the change, as ``quantize`` makes them by default."""
        layer: Any = self
        mode = layer.dtype_policy.quantization_mode
        config = Int8QuantizationConfig() if mode == "int8" else Int4QuantizationConfig(block_size=layer._block_size)
        total = ops.add(layer._dequantized(), self._change())
        return layer._quantized_adapted(total, mode, config)

    def _factors(self) -> list[Any]:
        return [getattr(self, f"lora_{self.adapted}_{letter}") for letter in "ab"]

    def _without_factors(self) -> list[Any]:
        factors = {id(one) for one in self._factors()}
        return [one for one in tracking.own_variables(self) if id(one) not in factors]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON-able values; those of the low-rank factors only if there are any."""
        config = super().get_config()  # type: ignore[misc]
        if self.lora_rank:
            config |= {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
        return config


def _not_both(layer: Any, call: str) -> NotSupportedError:
    return NotSupportedError(
        explain(
            f"{call}: {type(layer).__name__} '{layer.name}' would round to 8-bit floats and have low-rank factors.",
            expected="'int8' or 'int4', or no factors",
            received=f"rank {layer.lora_rank}, dtype policy {layer._dtype_policy.name!r}",
            fix="adapt the layer in floats; then `save_weights`, which adds the factors to the weights, `load_weights` "
            "into a model made without `lora_rank`, and quantise that one",
        )
    )
