"""``model.quantize``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

from hornbeam.base.errors import NotSupportedError
from hornbeam.keras.quantizers.configs import resolved_config


class Quantizing:
    """Quantisation of all layers of a model; mixed into ``Model``."""

    _training: Any

    def get_quantization_layer_structure(self, mode: str | None = None) -> Any:
        """Layers in the order in which methods that need sample data take them; None: the model does not say.

        References: Keras ``Model.get_quantization_layer_structure``.
        """
        return None

    def quantize(self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any) -> None:
        """Replace the floats of the model's layers by smaller numbers, where layers can: see ``Dense``, ``Embedding``.

        Args:
            mode: "int8" (weights and inputs), "int4" (weights alone) or "float8"; may be None beside a config.
            config: a config of ``keras.quantizers``, which says more.
            filters: which layers: a regular expression to find in their names, a list of these, or a function that
                takes the layer.
            **kwargs: ``type_check=False`` also quantises subclasses of the built-in layers.

        Raises:
            ValueError: the model is not built, an unknown mode, or a layer that is quantised already.
            NotSupportedError: GPTQ or AWQ.

        References: Keras ``Model.quantize``.
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(
                f"quantize() got unexpected arguments {sorted(kwargs)}. It takes `type_check` beside those named."
            )
        if filters is not None and not isinstance(filters, (str, list, tuple, Callable)):
            raise ValueError(
                "quantize(): `filters` takes a regular expression, a list of them or a function of a layer. Received: "
                f"{filters!r}"
            )
        config = resolved_config(mode, config)
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            if len(layer._flatten_layers()) > 1 or not _is_chosen(layer, filters):
                continue
            try:
                layer.quantize(config.mode, type_check=type_check, config=config)
            except NotSupportedError as error:
                if layer.weights:  # The others have nothing that could be smaller.
                    warnings.warn(str(error), stacklevel=2)
        self._changed()  # type: ignore[attr-defined]
        for model in self._flatten_layers():  # type: ignore[attr-defined]
            training = vars(model).get("_trainer")
            if training is not None:
                # What was trained is there no more; what is there now is found anew.
                training.runners, training.frozen_variables = {}, None
                training.compiled_variables = list(model.trainable_variables)


def _is_chosen(layer: Any, filters: Any) -> bool:
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    return any(re.search(pattern, layer.name) for pattern in ([filters] if isinstance(filters, str) else filters))
