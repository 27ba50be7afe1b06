"""``model.export`` and ``ExportArchive``: SavedModels for inference alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.function import Function
from hornbeam.core.spec import TensorSpec
from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.saving.saved_model.keras_writer import SERVING, as_specs, call_endpoint, input_specs
from hornbeam.saving.saved_model.traced import trace
from hornbeam.saving.saved_model.writer import Endpoint, Plan, write
from hornbeam.saving.tf_checkpoint.graph import ObjectGraph

__all__ = ["ExportArchive", "export_model"]


class ExportArchive:
    """Collects functions and variables, and writes them as a SavedModel for inference.

    Example:
        >>> archive = keras.export.ExportArchive()
        >>> archive.track(model)
        >>> archive.add_endpoint("serve", model.call, input_signature=[keras.InputSpec(shape=(None, 3))])
        >>> archive.write_out("folder")

    References: Keras ``keras.export.ExportArchive``.
    """

    def __init__(self, format: str = "tf_saved_model") -> None:
        if format != "tf_saved_model":
            raise NotSupportedError(f"ExportArchive(format={format!r}) is not offered; use format='tf_saved_model'.")
        self._resources: list[Any] = []
        self._endpoints: dict[str, tuple[Callable, Any, Any]] = {}
        self._extra: dict[str, list[Variable]] = {}

    # --- content ---------------------------------------------------------------------------------
    def track(self, resource: Any) -> None:
        """Note a layer or model whose variables the functions use.

        Raises:
            ValueError: it is not built, or holds no variables and never can.
        """
        if isinstance(resource, Layer) and not resource.built:
            raise ValueError(
                f"{resource.name!r} is not built, so its variables do not exist yet. Call it on data, or build it, "
                "before it is exported."
            )
        if not hasattr(resource, "variables"):
            raise ValueError(
                f"Only layers, models and other objects with variables can be tracked. Received: {resource!r}"
            )
        if not any(resource is known for known in self._resources):
            self._resources.append(resource)

    @property
    def variables(self) -> list[Variable]:
        """All variables of what is tracked."""
        found = {id(v): v for resource in self._resources for v in resource.variables}
        found.update((id(v), v) for extra in self._extra.values() for v in extra)
        return list(found.values())

    @property
    def trainable_variables(self) -> list[Variable]:
        """Trainable variables of what is tracked."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Other variables of what is tracked."""
        return [variable for variable in self.variables if not variable.trainable]

    def add_endpoint(
        self, name: str, fn: Any, input_signature: Any = None, jax2tf_kwargs: Any = None, **kwargs: Any
    ) -> Any:
        """Add a function.

        Args:
            name: how it is called in the folder.
            fn: function of tensors.
            input_signature: a spec per argument; not needed for compiled functions that have one.
            jax2tf_kwargs: must be None: programs are written without that converter.
            **kwargs: none are known.

        Returns:
            The function, compiled.

        Raises:
            ValueError: the name is taken, or the inputs are not known.
        """
        if jax2tf_kwargs:
            raise NotSupportedError("add_endpoint(jax2tf_kwargs=...) is not offered; leave the argument out.")
        if kwargs:
            raise TypeError(f"add_endpoint() got unexpected arguments {sorted(kwargs)}.")
        if name in self._endpoints:
            raise ValueError(f"There is an endpoint {name!r} already.")
        if isinstance(fn, Function) and input_signature is None:
            input_signature = fn.input_signature
        owner = getattr(fn, "__self__", fn)
        if isinstance(owner, Layer):
            self.track(owner)
            if input_signature is None:
                input_signature = [input_specs(owner)]
        if input_signature is None:
            raise ValueError(f"Endpoint {name!r} needs an `input_signature`: a spec for each argument.")
        signature = [as_specs(one) for one in input_signature]
        run = fn.python_function if isinstance(fn, Function) else fn
        self._endpoints[name] = (run, signature, fn)
        return fn if isinstance(fn, Function) else Function(run, None, False, name)

    def track_and_add_endpoint(self, name: str, resource: Any, input_signature: Any = None, **kwargs: Any) -> Any:
        """Track a layer or model, and add its call as a function.

        Args:
            name: how the function is called in the folder.
            resource: layer or model.
            input_signature: a spec per argument; default what the layer was built for.
            **kwargs: see ``add_endpoint``.

        Returns:
            The function, compiled.
        """
        self.track(resource)
        given = {"input_signature": input_signature} if input_signature is not None else {}
        return self.add_endpoint(name, resource, **given, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Add a list of variables under a name."""
        if not isinstance(variables, (list, tuple, set)) or not all(isinstance(v, Variable) for v in variables):
            raise ValueError(f"add_variable_collection({name!r}) takes a list of variables. Received: {variables!r}")
        self._extra[name] = list(variables)

    def write_out(self, filepath: Any, options: Any = None, verbose: bool = True) -> None:
        """Write the folder.

        Args:
            filepath: the folder.
            options: see ``tf.saved_model.SaveOptions``.
            verbose: say where it was written.
        """
        if not self._endpoints:
            raise ValueError(
                "write_out(): the archive holds no endpoints. Add one first, with `add_endpoint(name, function)`."
            )
        holder = _Holder(self)
        graph = ObjectGraph(holder)
        variables = [item for item in graph.items if isinstance(item, Variable)]
        plan = Plan(holder, graph)
        for name, (run, signature, _) in self._endpoints.items():
            plan.endpoints[(0, name)] = _endpoint(name, run, signature, variables)
        first = plan.endpoints[(0, "serve" if "serve" in self._endpoints else next(iter(self._endpoints)))]
        plan.signatures = {name: (plan.endpoints[(0, name)].traces[0], None) for name in self._endpoints}
        plan.signatures[SERVING] = (first.traces[0], None)
        write(plan, filepath)
        if verbose:
            listing = "\n".join(f"* Endpoint {name!r}" for name in self._endpoints)
            print(f"Saved artifact at {os.fspath(filepath)!r}. It offers:\n{listing}")


class _Holder:
    """What the folder's root object holds: variables in lists."""

    def __init__(self, archive: ExportArchive) -> None:
        self._lists = {
            "variables": archive.variables,
            "trainable_variables": archive.trainable_variables,
            "non_trainable_variables": archive.non_trainable_variables,
            **archive._extra,
        }

    def _checkpoint_children(self) -> list[tuple[str, Any]]:
        return [(name, found) for name, found in self._lists.items() if found]


def _endpoint(name: str, run: Callable, signature: list[Any], variables: list[Variable]) -> Endpoint:
    specs = []
    for place, one in enumerate(signature):
        base = f"args_{place}"
        specs.append(trees.map_structure(lambda s, base=base: s if s.name else TensorSpec(s.shape, s.dtype, base), one))
    traced = trace(name, run, tuple(specs), {}, variables)
    return Endpoint([traced], [f"args_{place}" for place in range(len(specs))], signature=tuple(specs))


def export_model(
    model: Any,
    filepath: Any,
    *,
    format: str = "tf_saved_model",
    verbose: Any = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """Write a model for inference: the endpoint ``serve`` and the signature ``serving_default``.

    Args:
        model: the model.
        filepath: the folder.
        format: must be ``"tf_saved_model"``.
        verbose: say where it was written; default yes.
        input_signature: specs of the inputs, where the model does not know them.
        **kwargs: ``is_static`` and ``jax2tf_kwargs`` of other programs must be None or False.

    Raises:
        ValueError: the model is not built.
        NotSupportedError: another format.
    """
    if format != "tf_saved_model":
        raise NotSupportedError(
            f"Model {model.name!r}: export(format={format!r}) is not offered. Use format='tf_saved_model', or save a "
            "`.keras` file and convert it with Keras."
        )
    given = {name: value for name, value in kwargs.items() if value}
    if given:
        raise NotSupportedError(f"export() does not take {sorted(given)}: programs are written without a converter.")
    if not model.built and input_signature is None:
        raise ValueError(
            f"Model {model.name!r} is not built, so the shapes of its inputs are not known. Call it on data first, or "
            "pass `input_signature`."
        )
    archive = ExportArchive()
    if not model.built:
        model.build(trees.map_structure(lambda spec: tuple(spec.shape), as_specs(input_signature)))
    archive.track(model)
    specs = input_specs(model) if input_signature is None else as_specs(input_signature)
    holder = _Holder(archive)
    graph = ObjectGraph(holder)
    variables = [item for item in graph.items if isinstance(item, Variable)]
    plan = Plan(holder, graph)
    endpoint = call_endpoint(model, specs, variables, parameters=("inputs",), name="serve")
    plan.endpoints[(0, "serve")] = endpoint
    plan.signatures = {"serve": (endpoint.traces[0], None), SERVING: (endpoint.traces[0], None)}
    write(plan, filepath)
    if verbose or verbose is None:
        print(f"Saved artifact at {os.fspath(filepath)!r}. It offers the endpoint 'serve'.")
