"""``FlaxLayer``: a module of Flax (linen) as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import FileFormatError, explain
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.jax_layer import JaxLayer
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object


class FlaxLayer(JaxLayer):
    """A ``flax.linen.Module`` as a layer: it is trained, saved and called with the rest of a model.

    The collection "params" is trained; all others (batch statistics ...) are state. The module gets the keys "params"
    and "dropout" when it is initialised, and "dropout" in training.

    Args:
        module: the module. To be saved it needs ``get_config`` and a registered class.
        method: what to call, ``(inputs)`` or ``(inputs, training)``: a method of the module, or a function whose first
            argument is the module; ``__call__`` by default.
        variables: what ``module.init`` gave, to start from; it is called when the layer is built if not given.
        **kwargs: as for ``JaxLayer``.

    Raises:
        ImportError: Flax is not there.

    References: Keras ``layers.FlaxLayer``.
    """

    unserialized = frozenset({*JaxLayer.unserialized, "module", "method", "variables"})
    _untracked = frozenset({*JaxLayer._untracked, "module", "method"})

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any) -> None:
        try:
            from flax.linen import DenyList
        except ImportError as error:
            raise ImportError("FlaxLayer needs Flax: pip install flax") from error
        options = {"method": method, "mutable": DenyList(["params"])}

        def joined(params: Any, state: Any) -> dict[str, Any]:
            return {**(params or {}), **(state or {})}

        def call(params: Any, state: Any, rng: Any, inputs: Any) -> Any:
            return module.apply(joined(params, state), inputs, rngs=rng, **options)

        def call_with_training(params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> Any:
            return module.apply(joined(params, state), inputs, rngs=rng, training=training, **options)

        def init(rng: Any, inputs: Any) -> Any:
            return _split(module.init(rng, inputs, method=method))

        def init_with_training(rng: Any, inputs: Any, training: bool) -> Any:
            return _split(module.init(rng, inputs, method=method, training=training))

        functions: tuple[Callable, Callable] = (call, init)
        if "training" in inspect.signature(method or module.__call__).parameters:
            functions = (call_with_training, init_with_training)
        params, state = _split(variables)
        super().__init__(*functions, params=params, state=state, **kwargs)
        self.module = module
        self.method = method

    def _get_init_rng(self) -> Any:
        return {"params": self._get_init_seed(), "dropout": self._get_init_seed()}

    def _get_call_rng(self, training: bool) -> Any:
        return {"dropout": self._get_call_seed()} if training else {}

    def get_config(self) -> dict[str, Any]:
        method = self.method
        if getattr(method, "__self__", None) is self.module and method is not None:
            method = method.__name__
        config = super().get_config()
        del config["call_fn"], config["init_fn"]
        return {**config, "module": serialize_keras_object(self.module), "method": serialize_keras_object(method)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Make a layer from its config; the module's class must be registered.

        Raises:
            FileFormatError: there is no module in it, or the name of a private method.
        """
        config = dict(config)
        module, method = deserialize_keras_object(config.pop("module", None)), config.pop("method", None)
        private = isinstance(method, str) and method.startswith("_") and method != "__call__"
        if private or not hasattr(module, "apply"):
            raise FileFormatError(
                explain(
                    "The config of a FlaxLayer does not describe a module and what to call of it.",
                    expected="the config of a registered module, and the name of a public method",
                    received=f"module={module!r}, method={method!r}",
                    fix="save a FlaxLayer whose module is registered, and register it before loading",
                )
            )
        method = getattr(module, method) if isinstance(method, str) else deserialize_keras_object(method)
        config.pop("native_serialization_platforms", None)
        return cls(module, method, **config)


def _split(variables: Any) -> tuple[Any, Any]:
    """Trained variables and all others."""
    if variables is None:
        return None, None
    params = {"params": variables["params"]} if "params" in variables else {}
    return params, {name: value for name, value in variables.items() if name != "params"}
