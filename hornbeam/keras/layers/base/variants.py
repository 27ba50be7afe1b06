"""Variants of layers: recomputing ones; quantised ones, which few layers have; and low-rank ones, which none has."""

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


class LowRank:
    """``enable_lora`` of layers that have a table or a kernel."""

    name: str

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Raise: low-rank adaptation is not offered.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError(
            explain(
                f"{type(self).__name__} '{self.name}' cannot be adapted at low rank.",
                expected="training of all weights, or of some layers",
                received=f"enable_lora(rank={rank}, lora_alpha={lora_alpha}, a_initializer={a_initializer!r}, "
                f"b_initializer={b_initializer!r})",
                fix="freeze layers with `layer.trainable = False` and train the rest; or add the product of two small "
                "`Dense` layers to the output of a frozen one",
            )
        )


class MadeByBuild:
    """Stands for an attribute until ``build`` sets it on the layer, and says so when it is asked for too early."""

    def __init__(self, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        # A quantised layer keeps something else in its place, and makes the numbers when they are asked for.
        if (stored := vars(layer).get(f"_{self.attribute}")) is not None:
            return layer.unpacked(stored)
        raise NotBuiltError(
            f"{owner.__name__} '{vars(layer).get('name')}' has no `{self.attribute}` yet: weights are made when the "
            "layer is called for the first time, or by `layer.build(input_shape)`."
        )


class NotBuiltError(BuildError, AttributeError):
    """An attribute was read that only a built layer has."""
