"""Layers that run what a SavedModel holds."""

from __future__ import annotations

import os
from typing import Any

from hornbeam.base import registry, trees
from hornbeam.base.errors import NotSupportedError, UnsafeFileError
from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.keras.saving.registration import register_keras_serializable
from hornbeam.keras.saving.scopes import in_safe_mode
from hornbeam.saving.saved_model.folder import open_folder
from hornbeam.saving.saved_model.loader import load
from hornbeam.saving.saved_model.metadata import keras_nodes, root_node
from hornbeam.saving.saved_model.restored import SignatureFunction
from hornbeam.saving.saved_model.revived import RevivedModel

__all__ = ["HubLayer", "TFSMLayer"]


class TFSMLayer(Layer):
    """A layer that runs a function of a SavedModel.

    Args:
        filepath: the folder.
        call_endpoint: attribute of the saved object, or name of a signature, to run.
        call_training_endpoint: the one to run in training; default the same.
        trainable: whether its trainable variables are trained.
        name: name.
        dtype: dtype policy.

    Raises:
        ValueError: the SavedModel has no such function.

    References: Keras ``layers.TFSMLayer``.
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = os.fspath(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        loaded = load(self.filepath)
        self.__dict__["_reloaded"] = loaded
        self.__dict__["_run"] = _endpoint(loaded, call_endpoint, self.filepath)
        self.__dict__["_run_training"] = (
            _endpoint(loaded, call_training_endpoint, self.filepath) if call_training_endpoint else None
        )
        found = list({id(v): v for v in [*loaded.variables, *self._run.variables]}.values())
        self._saved_variables: list[Variable] = found
        self.built = True

    _run: Any

    def call(self, inputs: Any, training: bool = False, **kwargs: Any) -> Any:
        """Run the function."""
        run = self.__dict__["_run_training"] if training and self.__dict__["_run_training"] is not None else self._run
        if isinstance(run, SignatureFunction) and isinstance(inputs, dict):
            return run(**inputs, **kwargs)
        return run(inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer; the folder itself stays where it is."""
        return {
            **super().get_config(),
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None) -> Any:
        """A layer from its config; refused in safe mode, as the config names another file to run.

        Raises:
            UnsafeFileError: safe mode is on.
        """
        if safe_mode is None:
            safe_mode = in_safe_mode() is not False
        if safe_mode:
            raise UnsafeFileError(
                f"The config holds a TFSMLayer, which loads and runs another file ({config.get('filepath')!r}); "
                "safe mode "
                "refuses that. If you trust both files, load with `safe_mode=False`."
            )
        return cls(**config)


def _endpoint(loaded: Any, name: str, path: str) -> Any:
    if name in loaded._functions:
        return loaded._functions[name]
    signatures = loaded.signatures or {}
    if name in signatures:
        return signatures[name]
    offered = sorted({*loaded._functions, *signatures})
    raise ValueError(f"{path} has no endpoint {name!r}. It offers {offered}: pass one of them as `call_endpoint`.")


@register_keras_serializable(package="hornbeam", name="HubLayer")
class HubLayer(Layer):
    """A SavedModel as a layer, as ``tensorflow_hub.KerasLayer`` makes it.

    Args:
        handle: folder of a SavedModel, or a callable object with variables.
        trainable: whether its variables are trained.
        arguments: further keyword arguments of the saved function.
        tags: tags of the graph to take.
        signature: name of a signature to run instead of the object's call.
        signature_outputs_as_dict: give all outputs of the signature, by name.
        output_key: the output of the signature to give.
        output_shape: shape of the output without the batch axis, to be checked.
        load_options: see ``tf.saved_model.LoadOptions``.
        **kwargs: arguments of ``Layer``.

    References: TensorFlow Hub ``hub.KerasLayer``.
    """

    def __init__(
        self,
        handle: Any,
        trainable: bool = False,
        arguments: dict[str, Any] | None = None,
        _sentinel: Any = None,
        tags: Any = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: Any = None,
        load_options: Any = None,
        **kwargs: Any,
    ) -> None:
        if _sentinel is not None:
            raise TypeError("KerasLayer takes `tags` and what follows by name only.")
        super().__init__(trainable=trainable, **kwargs)
        self._handle = handle
        self._arguments = dict(arguments or {})
        self._signature = signature
        self._as_dict = bool(signature_outputs_as_dict)
        self._output_key = output_key
        self._output_shape = output_shape
        resolved = load_handle(handle, tags, signature)
        self.__dict__["_resolved"] = resolved
        variables = list(getattr(resolved, "variables", []))
        self._saved_variables: list[Variable] = [v for v in variables if isinstance(v, Variable)]
        for variable in self._saved_variables:
            variable._made_trainable = variable._made_trainable and trainable
            variable.trainable = variable.trainable and trainable
        self.built = True

    @property
    def resolved_object(self) -> Any:
        """What runs: the model, or the loaded object."""
        return self.__dict__["_resolved"]

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Run the saved model; without ``trainable``, always as for inference."""
        training = bool(training) and self.trainable
        target = self.resolved_object
        if self._signature is not None:
            run = target.signatures[self._signature]
            outputs = run(**inputs, **self._arguments) if isinstance(inputs, dict) else run(inputs, **self._arguments)
            return self._chosen(outputs)
        attempts: tuple[dict[str, Any], ...] = ({"training": training}, {"training": False}, {})
        if isinstance(target, Layer):
            attempts = attempts[:1]
        for place, options in enumerate(attempts):
            try:
                outputs = target(inputs, **options, **self._arguments)
                break
            except ValueError:
                if place == len(attempts) - 1:
                    raise
        if self._output_shape is not None:
            for output in trees.flatten(outputs):
                shape, wanted = tuple(output.shape)[1:], tuple(self._output_shape)
                if len(shape) != len(wanted) or any(w not in (None, s) for s, w in zip(shape, wanted, strict=True)):
                    raise ValueError(f"{self.name}: expected outputs of shape {wanted} per sample, received {shape}.")
        return outputs

    def _chosen(self, outputs: dict[str, Any]) -> Any:
        if self._as_dict:
            return outputs
        if self._output_key is not None:
            return outputs[self._output_key]
        if "default" in outputs:
            return outputs["default"]
        if len(outputs) == 1:
            return next(iter(outputs.values()))
        raise ValueError(
            f"{self.name}: the signature gives {sorted(outputs)}: choose one with `output_key`, or pass "
            "`signature_outputs_as_dict=True`."
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        if not isinstance(self._handle, (str, os.PathLike)):
            raise NotImplementedError("A KerasLayer made from an object, not from a folder, has no config.")
        return {
            **super().get_config(),
            "handle": os.fspath(self._handle),
            "arguments": self._arguments or None,
            "signature": self._signature,
            "signature_outputs_as_dict": self._as_dict or None,
            "output_key": self._output_key,
            "output_shape": self._output_shape,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from its config; refused in safe mode, as the config names another file to run."""
        if in_safe_mode() is not False:
            raise UnsafeFileError(
                f"The config holds a KerasLayer, which loads and runs another file ({config.get('handle')!r}); "
                "safe mode "
                "refuses that. If you trust both files, load with `safe_mode=False`."
            )
        return cls(**config)


def load_handle(handle: Any, tags: Any = None, signature: str | None = None) -> Any:
    """The object that a handle means: a Keras model where the folder describes one, else the loaded functions."""
    if not isinstance(handle, (str, os.PathLike)):
        return handle
    path = local_folder(handle)
    folder = open_folder(path, tags)
    if signature is None and root_node(keras_nodes(folder)) is not None:
        model = registry.find("model reader", "saved_model")(path, compile=False)
        if not isinstance(model, RevivedModel):
            return model
    return load(path, tags)


def local_folder(handle: Any) -> str:
    """Path of a handle.

    Raises:
        NotSupportedError: it is an address on the net.
    """
    text = os.path.expanduser(os.fspath(handle))
    if "://" in text:
        raise NotSupportedError(
            f"{text!r} is an address: models are not fetched by name here. Download the model (add "
            "`?tf-hub-format=compressed` to its address, or use the Kaggle site), unpack it, and pass the folder."
        )
    return text
