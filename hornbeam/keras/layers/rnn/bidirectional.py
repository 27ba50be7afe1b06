"""``Bidirectional``: a sequence, gone through both ways."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.scopes import CustomObjectScope

_MERGES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """Runs a recurrent layer forward and a copy of it backward, and joins their outputs.

    Args:
        layer: the layer that goes forward (a copy of it is made).
        merge_mode: how outputs are joined: ``concat``, ``sum``, ``mul``, ``ave``; None gives both.
        weights: initial values of the weights: those forward, then those backward.
        backward_layer: the layer that goes backward; by default a copy of ``layer``.
        **kwargs: ``name``, ``dtype``.

    Call arguments:
        sequences: (batch, steps, features).
        initial_state: list of states: those forward, then those backward.
        mask: (batch, steps).
        training: passed on.

    References: Keras ``layers.Bidirectional``.
    """

    pure = True
    unserialized = frozenset({"weights"})

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        for name, one in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(one, Layer) and not (one is None and name == "backward_layer"):
                raise ValueError(f"Bidirectional: `{name}` must be a recurrent layer. Received: {one!r}")
        if merge_mode not in _MERGES:
            raise ValueError(f"Bidirectional: `merge_mode` must be one of {_MERGES}. Received: {merge_mode!r}")
        super().__init__(**kwargs)
        self.forward_layer = _copy(layer, "forward", {})
        self.backward_layer = (
            _copy(layer, "backward", {"go_backwards": True}) if backward_layer is None else backward_layer
        )
        self._check_pair()
        for inner in (self.forward_layer, self.backward_layer):
            if getattr(inner, "zero_output_for_mask", None) is not None:
                # So that what stands for masked steps adds nothing to the other direction's output.
                inner.zero_output_for_mask = inner.return_sequences
        self.merge_mode = merge_mode
        self._initial_weights = list(weights) if weights else None
        self.stateful, self.return_sequences = layer.stateful, layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Bidirectional: the two layers must go in different directions. Received: go_backwards="
                f"{forward.go_backwards} for both"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"Bidirectional: the two layers differ in `{name}`: {getattr(forward, name)} and "
                    f"{getattr(backward, name)}."
                )

    @property
    def layer(self) -> Any:
        """The layer that goes forward."""
        return self.forward_layer

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for inner in (self.forward_layer, self.backward_layer):
            if not inner.built:
                inner.build_from_config({"input_shape": sequences_shape})
        if self._initial_weights is not None:
            half = len(self._initial_weights) // 2
            self.forward_layer.set_weights(self._initial_weights[:half])
            self.backward_layer.set_weights(self._initial_weights[half:])
        self.built = True

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shape of the joined output, then those of the states if they are given too."""
        found = self.forward_layer.compute_output_shape(sequences_shape)
        output, states = (found[0], tuple(found[1:])) if self.return_state else (found, ())
        if self.merge_mode == "concat":
            output = (*output[:-1], None if output[-1] is None else output[-1] * 2)
        outputs = [output, output] if self.merge_mode is None else [output]
        if self.return_state:
            return (*outputs, *states, *states)
        return outputs if self.merge_mode is None else output

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        """Joined outputs of both layers."""
        results = []
        for place, inner in enumerate((self.forward_layer, self.backward_layer)):
            spec = call_spec(inner)
            passed: dict[str, Any] = {"training": training} if spec.has_training else {}
            if mask is not None and "mask" in spec.signature.parameters:
                passed["mask"] = mask
            if initial_state is not None:
                half = len(initial_state) // 2
                passed["initial_state"] = list(initial_state[:half] if place == 0 else initial_state[half:])
            results.append(inner(sequences, **passed))
        forward, backward = results
        states: tuple = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        forward, backward = ops.cast(forward, self.compute_dtype), ops.cast(backward, self.compute_dtype)
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        if self.merge_mode is None:
            return (forward, backward, *states)
        output = _merge(self.merge_mode, forward, backward)
        return (output, *states) if self.return_state else output

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """The mask of the steps where all outputs are given."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        found = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            found += [None] * (2 * len(self.forward_layer.state_size))
        return found if len(found) > 1 else mask

    @property
    def states(self) -> Any:
        """States of both layers, if they are stateful."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def reset_state(self) -> None:
        """Set the states of stateful layers to zero."""
        if not self.stateful:
            raise AttributeError(f"Bidirectional '{self.name}' is not stateful, so it has no states to reset.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Bidirectional:
        """A layer from its config; ``custom_objects`` holds classes of layers and cells by name."""
        config = dict(config)
        # The two directions are copies made from configs, which name the classes of their cells once more.
        with CustomObjectScope(custom_objects or {}):
            for name in ("layer", "backward_layer"):
                if isinstance(config.get(name), dict):
                    config[name] = serialization.deserialize_keras_object(config[name])
            return super().from_config(config)  # type: ignore[return-value]


def _copy(layer: Any, prefix: str, changes: dict[str, Any]) -> Any:
    """The layer anew, under a name with a prefix."""
    name = f"{prefix}_{layer.name.removeprefix(f'{prefix}_')}"
    config = {**layer.get_config(), **changes, "name": name}
    return type(layer).from_config(config)


def _merge(mode: str, forward: Any, backward: Any) -> Any:
    if mode == "concat":
        return ops.concatenate([forward, backward], axis=-1)
    if mode == "mul":
        return forward * backward
    total = forward + backward
    return total / 2 if mode == "ave" else total
