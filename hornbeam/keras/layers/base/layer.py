"""``Layer``: state, and a computation from inputs to outputs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from hornbeam.base import check, names, settings, shapes, trees
from hornbeam.base.errors import BuildError, NotSupportedError
from hornbeam.core.node import Node
from hornbeam.core.scopes import name_scope, scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras import dtype_policies, regularizers
from hornbeam.keras.layers.base import added, call_context, calling, config
from hornbeam.keras.layers.base.building import LayerBuilding
from hornbeam.keras.layers.base.call_arguments import convert_leaf
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.variants import LayerVariants

# Attributes whose change does not alter what the layer computes.
_NEUTRAL = frozenset(
    {"built", "history", "stop_training", "optimizer", "loss", "compiled", "name", "input_spec", "_input_shape_arg"}
)


class Layer(LayerBuilding, LayerVariants):
    """Base of all layers.

    A layer holds variables and computes outputs from inputs in ``call``. Subclasses create variables in
    ``__init__`` or in ``build(input_shape)``, and describe themselves in ``get_config``.

    Args:
        activity_regularizer: penalty on the outputs.
        trainable: whether the layer's trainable weights take part in training.
        dtype: dtype or dtype policy of computations and weights; the global policy if not given.
        autocast: cast floating inputs and weights to the compute dtype.
        name: name; made from the class name if not given.
        **kwargs: ``input_shape``, ``batch_input_shape``, ``input_dim``, ``batch_size`` for the first layer of a model.

    References: Keras ``layers.Layer``.
    """

    pure: bool = False
    """True if ``call`` has no Python side effects, so that eager calls may run as one compiled program."""
    keeps_wide_integers: bool = False
    """True if 64-bit integer arrays must stay so (hashing, lookups); otherwise they become 32-bit at the "
    "layer's door."""
    unserialized: frozenset[str] = frozenset()
    """Constructor parameters of a built-in class that do not belong into its config."""
    supports_masking: bool = False
    """True if the layer passes masks on."""
    input_spec: Any = None
    """Requirements on the inputs (``InputSpec``, or a structure of them)."""
    _untracked: frozenset[str] = frozenset()
    _version: int = 0
    _plans: dict[Any, Any]
    _losses: list[Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Users call `build` themselves, and their `build` need not set `built`: a later call must not build again.
        if "build" in vars(cls) and not cls.__module__.startswith("hornbeam."):
            cls.build = _finishing(cls.build)  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the object and note the constructor's arguments, from which ``get_config`` can be derived."""
        instance = super().__new__(cls)
        vars(instance)["_call_arguments"] = (args, kwargs)
        return instance

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._start_state()
        input_shape = _input_shape_from(kwargs)
        check.no_unknown(kwargs, owner=type(self).__name__, known=config.init_parameters(type(self)))
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(
                f"{type(self).__name__}: `name` is a string without '/'. Received: {name!r} of type "
                f"{type(name).__name__}"
            )
        self.name = names.auto_name(type(self).__name__) if name is None else name
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self._trainable = bool(trainable)
        self.built = False
        # A class attribute of a subclass stays; a `compute_mask` of its own makes a mask to pass on.
        self.supports_masking = type(self).supports_masking or type(self).compute_mask is not Layer.compute_mask
        self.input_spec = None
        if input_shape is not None:
            self._input_shape_arg = input_shape

    def _start_state(self) -> None:
        state = vars(self)
        if "_plans" in state:
            return
        state["_plans"] = {}
        state["_losses"] = []
        state["_weights"] = []
        state["_inbound_nodes"] = []
        if scopes.remat is not None:
            state["_remat"] = scopes.remat

    # --- attributes ------------------------------------------------------------------------------
    def __setattr__(self, attribute: str, value: Any) -> None:
        state = vars(self)
        if "_plans" not in state and not attribute.startswith("__"):
            # Constructors may set attributes before they call the one of `Layer`.
            self._start_state()
        super().__setattr__(attribute, value)
        if attribute not in _NEUTRAL:
            self._changed()
        else:
            # Programs stay valid, but the attribute may have held an object that others ask for (an optimizer).
            state["_found"] = None

    def __delattr__(self, attribute: str) -> None:
        super().__delattr__(attribute)
        self._changed()

    def _changed(self) -> None:
        """Note that the layer computes something else from now on: compiled programs of it are not valid any more."""
        state = vars(self)
        state["_version"] = self._version + 1
        if state["_plans"]:
            state["_plans"].clear()

    # --- calling ---------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute outputs from inputs, building the layer first if need be."""
        if len(args) == 1 and self._plans and scopes.frame is None and scopes.call is None:
            tensor = args[0]
            if type(tensor) is np.ndarray and tensor.dtype.kind in "fiub":
                tensor = convert_leaf(self, tensor)
                args = (tensor,)
            training = kwargs.get("training") if len(kwargs) == 1 else None
            if type(tensor) is Tensor and (not kwargs or type(training) is bool):
                value = tensor._value
                plan = self._plans.get((value.shape, value.dtype, training))
                usable = plan is not None and plan.is_current() and not (plan.exposes_inner and scopes.tapes)
                if plan is not None and usable and getattr(tensor, "_keras_mask", None) is None:
                    outputs, extras = plan.run([tensor])
                    if extras:
                        calling.keep_extras(self, plan, outputs, extras)
                    return outputs
        return calling.call_layer(self, args, kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute outputs from inputs; overridden by subclasses."""
        raise self._not_implemented()

    def _not_implemented(self) -> NotImplementedError:
        return NotImplementedError(f"Layer {type(self).__name__} has no `call()` method; define `call(self, inputs)`.")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Mask of the outputs: by default the mask of the inputs."""
        return previous_mask

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shape of the outputs for input shapes; found by running ``call`` abstractly unless overridden."""
        spec = call_spec(self)
        structure = args[0] if args else next(iter(kwargs.values()))
        inputs = trees.map_structure(lambda shape: KerasTensor(shape, self.compute_dtype), _wrap_shapes(structure))
        extra = {}
        for name, shape in list(kwargs.items())[0 if args else 1 :]:
            extra[name.removesuffix("_shape")] = KerasTensor(shape, self.compute_dtype)
        for name, shape in zip(spec.names[1:], args[1:], strict=False):
            extra[name] = KerasTensor(shape, self.compute_dtype)
        outputs = calling.infer_outputs(self, (inputs,), extra)
        return trees.map_structure(lambda tensor: tuple(tensor.shape), outputs)

    compute_output_shape.is_default = True  # type: ignore[attr-defined]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs."""
        return calling.output_spec(self, args, kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Outputs for symbolic inputs, with a node added to the graph."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_signature(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``compute_output_spec``."""
        return self.compute_output_spec(*args, **kwargs)

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call with the variables' values given and, where changed, returned, leaving the layer as it is.

        Returns:
            ``(outputs, non_trainable_variables)``, and the list of losses if asked for.
        """
        return calling.stateless(self, trainable_variables, non_trainable_variables, args, kwargs, return_losses)

    # --- losses ----------------------------------------------------------------------------------
    def add_loss(self, loss: Any) -> None:
        """Add scalar losses to the training loss.

        Args:
            loss: scalar tensor computed in ``call`` (it counts for that call); or, outside of calls, a number or a
                function without arguments (it counts from then on); or, for a functional model, a symbolic tensor
                made from the model's own (it is computed in each run); or a list of these.

        Raises:
            ValueError: a symbolic tensor, and this is no functional model.
        """
        symbolic = [one for one in trees.flatten(loss) if isinstance(one, KerasTensor)]
        if symbolic:
            added.add_symbolic_losses(self, symbolic)
        for one in trees.flatten(loss):
            if isinstance(one, KerasTensor):
                continue
            context = call_context.current()
            if callable(one) and not isinstance(one, (Tensor, Variable)):
                vars(self).setdefault("_lasting_losses", []).append(one)
            elif context is not None:
                context.losses.append((self, one))
            elif isinstance(one, (int, float)):
                vars(self).setdefault("_lasting_losses", []).append(lambda value=one: value)
            else:
                self._losses.append(one)

    @property
    def losses(self) -> list[Any]:
        """Scalars: losses added by the last call, then regularization penalties of trainable weights."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            found += call_context.added_losses(layer) or (added.symbolic_losses(layer) if scopes.frame is None else [])
            found += [function() for function in vars(layer).get("_lasting_losses", ())]
        for weight in self.trainable_weights:
            if weight.regularizer is not None:
                found.append(weight.regularizer(weight))
        return found

    # --- metrics ---------------------------------------------------------------------------------
    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = None) -> None:
        """Report the running mean of a value with the metrics of the model.

        Args:
            value: tensor computed in ``call``, or what a metric object of this layer gave (then that one is
                reported); for a functional model also a symbolic tensor made from the model's own.
            name: what to report it as.
            aggregation: ``"mean"``, or None, which is the same.

        Raises:
            ValueError: no name, another aggregation, or a value outside of ``call``.
        """
        added.add_metric(self, value, name, aggregation)

    @property
    def metrics(self) -> list[Any]:
        """Metric objects of the layer and of the layers in it."""
        return added.layer_metrics(self)

    @property
    def metrics_variables(self) -> list[Variable]:
        """State of the metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    # --- description -----------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON-able values; subclasses with arguments of their own extend it."""
        return config.layer_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Make a layer from its config."""
        return config_module.from_config(cls, config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={vars(self).get('name')}, built={vars(self).get('built')}>"

    def __str__(self) -> str:
        return self.__repr__()

    def __reduce__(self) -> Any:
        return (config_module.unpickled, (type(self),), config_module.pickled(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        config_module.restore_pickled(self, state)


config_module = config


def _finishing(build: Callable) -> Callable:
    """A user's ``build`` that notes the shapes it was called with, and that the layer is built."""
    parameters = inspect.signature(build)

    @functools.wraps(build)
    def finishing(self: Layer, *args: Any, **kwargs: Any) -> None:
        with name_scope(self.name) if self.name not in scopes.names[-1:] else nullcontext():
            build(self, *args, **kwargs)
        self.built = True
        given = dict(list(parameters.bind(self, *args, **kwargs).arguments.items())[1:])
        if given and "kwargs" not in given:
            vars(self).setdefault(
                "_build_shapes", {name.removesuffix("_shape"): shape for name, shape in given.items()}
            )

    return finishing


def _wrap_shapes(structure: Any) -> Any:
    """Shapes as leaves of the tree, so that mapping does not descend into them."""
    if isinstance(structure, dict):
        return {key: _wrap_shapes(one) for key, one in structure.items()}
    if isinstance(structure, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in structure):
        return [_wrap_shapes(one) for one in structure]
    return shapes.TensorShape(structure)


def _input_shape_from(kwargs: dict[str, Any]) -> tuple | None:
    """Shape (with batch) from the spellings that name it on the first layer of a model."""
    batch_size = kwargs.pop("batch_size", None) if {"input_shape", "input_dim"} & set(kwargs) else None
    if (batch_shape := kwargs.pop("batch_input_shape", None)) is not None:
        return tuple(batch_shape)
    if (shape := kwargs.pop("input_shape", None)) is not None:
        return (batch_size, *shapes.standardize(shape))
    if (size := kwargs.pop("input_dim", None)) is not None:
        length = kwargs.pop("input_length", None)
        return (batch_size, size) if length is None else (batch_size, length, size)
    return None


def default_data_format(value: str | None) -> str:
    """The global data format for None; checked otherwise."""
    return settings.standardize_data_format(value)


def refuse_variants(layer: Layer, **given: Any) -> None:
    """Raise for arguments that would make a quantised or low-rank variant of a layer."""
    for argument, value in given.items():
        if value is not None:
            raise NotSupportedError(
                f"{type(layer).__name__} '{layer.name}': argument `{argument}` is not offered. Received: "
                f"{argument}={value!r}. "
                "Leave it out; for smaller models use a float16 or bfloat16 dtype policy."
            )


def require_built(layer: Layer, what: str) -> None:
    """Raise unless the layer is built."""
    if not layer.built:
        raise BuildError(
            f"{what} of {type(layer).__name__} '{layer.name}' is not known yet, because it has not been built. "
            "Call it on "
            "data, or call `build(input_shape)`."
        )
