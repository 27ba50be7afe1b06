"""Variants of layers: recomputing ones, and quantised ones, which few layers have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import BuildError, NotSupportedError, explain
from hornbeam.keras.layers.base.remat import with_remat


class LayerVariants:
    """Methods by which a layer would become another kind of itself; mixed into ``Layer``."""

    name: str

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The layer's ``call`` as the ``RematScope`` that the layer was made in wants it.

        Args:
            layer_call: the ``call`` method.
            *args: what it will be called with; nothing depends on it.
            **kwargs: likewise.

        References: Keras ``Layer.rematerialized_call``.
        """
        if vars(self).get("_remat") is None:
            return layer_call
        return lambda *inner, **named: with_remat(self, layer_call, inner, named)

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Raise: this layer has no quantised form. Layers that have one override this.

        Raises:
            NotSupportedError: (a NotImplementedError) always.
        """
        raise self._not_quantised(f"quantize(mode={mode!r}, type_check={type_check}, config={config!r})")

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """Raise: this layer has no quantised form.

        Raises:
            NotSupportedError: always.
        """
        raise self._not_quantised(f"quantized_build(input_shape={input_shape}, mode={mode!r})")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Raise: this layer has no quantised form.

        Raises:
            NotSupportedError: always.
        """
        raise self._not_quantised("quantized_call(...)")

    def _not_quantised(self, received: str) -> NotSupportedError:
        return NotSupportedError(
            explain(
                f"{type(self).__name__} '{self.name}' has no quantised form.",
                expected="a layer of floats",
                received=received,
                fix="use the dtype policy 'mixed_bfloat16' or 'bfloat16' for smaller weights and activations",
            )
        )


class MadeByBuild:
    """Stands for an attribute until ``build`` sets it on the layer, and says so when it is asked for too early."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        # Quantised and adapted layers keep something else in its place, and make the numbers when they are asked for.
        if (stored := vars(layer).get(f"_{self.attribute}")) is not None:
            base = layer.unpacked(stored) if layer._is_quantized else stored
            return layer._with_factors(base) if layer.lora_enabled else base
        raise NotBuiltError(
            f"{owner.__name__} '{vars(layer).get('name')}' has no `{self.attribute}` yet: weights are made when the "
            "layer is called for the first time, or by `layer.build(input_shape)`."
        )


class NotBuiltError(BuildError, AttributeError):
    """An attribute was read that only a built layer has."""
