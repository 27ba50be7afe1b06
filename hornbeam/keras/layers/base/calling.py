"""The life of ``layer(x)``: arguments, casts, building, masks, training flag, and the ways to run ``call``."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import TapeError, TraceError
from hornbeam.core import placement
from hornbeam.core.conversion import as_array
from hornbeam.core.frame import Frame, unwrap_tree
from hornbeam.core.scopes import current_path, name_scope, override, scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable, commit_all, read_all
from hornbeam.engine.jax_compat import Tracer, is_tracing
from hornbeam.keras.layers.base import call_context, input_spec
from hornbeam.keras.layers.base.call_arguments import (
    convert,
    fill_masks,
    has_any,
    resolve_training,
    shapes_of,
    split,
    tensor_arguments,
)
from hornbeam.keras.layers.base.call_context import CallContext
from hornbeam.keras.layers.base.call_spec import CallSpec, call_spec
from hornbeam.keras.layers.base.plan import Plan, held_tensors, is_pure
from hornbeam.keras.layers.base.remat import with_remat
from hornbeam.keras.layers.base.taped import run_as_one_node
from hornbeam.keras.layers.base.words import infer_with_words
from hornbeam.ops.numpy.arithmetic import divide_no_nan

_TENSORS = (Tensor, KerasTensor, Variable)


def call_layer(layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """``layer(*args, **kwargs)``, the general way."""
    layer._check_super_called()
    spec = call_spec(layer)
    bound = spec.bind(args, kwargs)
    if not spec.has_training and not spec.has_kwargs and "training" in bound and "training" not in spec.names:
        bound.pop("training")
    bound = {name: convert(layer, value, name == spec.first) for name, value in bound.items()}
    if spec.first is not None and spec.first not in bound and "*" not in bound and not layer.built:
        spec.signature.bind(*args, **kwargs)
    context = scopes.call
    given = bound.get("training")
    training = resolve_training(spec, bound, context)
    previous_mask = fill_masks(spec, bound)
    is_symbolic = any(isinstance(leaf, KerasTensor) for leaf in trees.flatten(list(bound.values())))
    if not layer.built:
        _check_spec(layer, spec, bound)
        layer._build_once(tensor_arguments(spec, bound))
    _check_spec(layer, spec, bound)
    if is_symbolic:
        return _call_symbolic(layer, spec, bound, previous_mask, training, given)
    in_parts = bool(scopes.tapes) and _exposes_inner(layer)
    if context is None and scopes.frame is None and not scopes.symbolic and not in_parts and _may_compile(layer, bound):
        try:
            return _run_plan(layer, spec, bound, previous_mask, training, given)
        except _NeedsValuesError:
            vars(layer)["_needs_values"] = True
    own = context is None
    taped = own and scopes.tapes and scopes.frame is not None and not in_parts
    if taped and all(inner.built for inner in layer._flatten_layers()):
        try:
            return _run_taped(layer, spec, bound, previous_mask, training)
        except _SeveralOutputsError:
            _in_parts.add(type(layer))
    if own:
        context = CallContext(layer, training)
    outputs = _run_call(layer, spec, bound, previous_mask, context, training)
    if own:
        call_context.store_losses(context)
    return outputs


def _check_spec(layer: Any, spec: CallSpec, bound: dict[str, Any]) -> None:
    if layer.input_spec is not None and spec.first is not None:
        input_spec.check(layer.input_spec, bound.get(spec.first or ""), layer.name)


class _NeedsValuesError(Exception):
    """A size in a model depends on values (`tf.where(condition)`), so its calls are not compiled as a whole."""


class _SeveralOutputsError(Exception):
    """A user's call returned several tensors, of which one may have been made from another."""


_in_parts: set[type] = set()


def _exposes_inner(layer: Any) -> bool:
    """Whether a tape must see the inside of the call.

    Gradients may be asked for between its outputs, or with respect to tensors that stand where weights would.
    """
    graph = vars(layer).get("_functional")
    if type(layer) in _in_parts if graph is None else graph.exposes_inner:
        return True
    held = held_tensors(layer._flatten_layers())
    return any(tape._watches(tensor) for tape in scopes.tapes for tensor in held)


# --- running -------------------------------------------------------------------------------------
def _autocast_of(layer: Any) -> str | None:
    return layer.compute_dtype if layer.autocast and layer.compute_dtype != layer.variable_dtype else None


def _run_call(
    layer: Any, spec: CallSpec, bound: dict[str, Any], previous_mask: Any, context: CallContext, training: Any
) -> Any:
    """``layer.call`` as written, then activity regularizer and masks."""
    before = context.training
    context.training = training
    try:
        with override(call=context, autocast=_autocast_of(layer)), name_scope(layer.name):
            outputs = _call_with_tape_care(layer, bound)
            if placement.current() is not None and not scopes.tapes:
                path = f"{current_path()}/output"
                outputs = trees.map_structure(lambda one: placement.placed_output(path, one), outputs)
            if layer.activity_regularizer is not None:
                for output in trees.flatten(outputs):
                    if isinstance(output, Tensor):
                        loss = layer.activity_regularizer(output)
                        # Per sample, so that its strength does not depend on the batch size.
                        layer.add_loss(divide_no_nan(loss, output.shape[0]) if output.shape else loss)
    finally:
        context.training = before
    if scopes.inspect is not None:
        scopes.inspect(layer, bound, outputs)
    _set_masks(layer, bound.get(spec.first or ""), outputs, previous_mask)
    return outputs


def _call_with_tape_care(layer: Any, bound: dict[str, Any]) -> Any:
    """Run ``call`` op by op; if it hands a watched tensor to plain jax code, run it again as one taped whole."""
    args, kwargs = split(call_spec(layer), bound)
    if scopes.frame is not None and "_remat" in vars(layer) and not scopes.symbolic:
        return with_remat(layer, layer.call, args, kwargs)
    if not scopes.tapes or scopes.frame is not None:
        return layer.call(*args, **kwargs)
    if type(layer) in _needs_whole:
        return _call_as_whole(layer, args, kwargs)
    variables = layer.variables
    before = read_all(variables)
    try:
        return layer.call(*args, **kwargs)
    except TapeError:
        commit_all(variables, before)
        _needs_whole.add(type(layer))
        return _call_as_whole(layer, args, kwargs)


_needs_whole: set[type] = set()


def _call_as_whole(layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """``layer.call`` as one node of the tape, differentiated by JAX, so that jnp code inside is seen."""
    leaves = trees.flatten((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]

    def run(*inner: Tensor) -> Any:
        inner_args, inner_kwargs = trees.pack((args, kwargs), _replaced(leaves, inner))
        return layer.call(*inner_args, **inner_kwargs)

    return run_as_one_node(layer, run, tensors)


def _replaced(leaves: list[Any], tensors: Any) -> list[Any]:
    queue = iter(tensors)
    return [next(queue) if isinstance(leaf, Tensor) else leaf for leaf in leaves]


def _run_taped(layer: Any, spec: CallSpec, bound: dict[str, Any], previous_mask: Any, training: Any) -> Any:
    """The outermost layer call inside a trace, as one node of the tape: one differentiation for a whole model."""
    leaves = trees.flatten((bound, previous_mask))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    context = CallContext(layer, training)
    is_users = "_functional" not in vars(layer) and not type(layer).__module__.startswith("hornbeam.")

    def run(*inner: Tensor) -> Any:
        inner_bound, inner_mask = trees.pack((bound, previous_mask), _replaced(leaves, inner))
        context.losses.clear()
        outputs = _run_call(layer, spec, inner_bound, inner_mask, context, training)
        if is_users and len(trees.flatten(outputs)) > 1:
            raise _SeveralOutputsError
        masks = [getattr(leaf, "_keras_mask", None) for leaf in trees.flatten(outputs)]
        return outputs, [loss for _, loss in context.losses], masks

    outputs, losses, masks = run_as_one_node(layer, run, tensors)
    context.losses = [(owner, loss) for (owner, _), loss in zip(context.losses, losses, strict=True)]
    for leaf, mask in zip(trees.flatten(outputs), masks, strict=True):
        if mask is not None:
            leaf._keras_mask = mask
    call_context.store_losses(context)
    return outputs


def _set_masks(layer: Any, inputs: Any, outputs: Any, previous_mask: Any) -> None:
    if not layer.supports_masking:
        if previous_mask is not None:
            warnings.warn(
                f"{type(layer).__name__} '{layer.name}' takes no mask: the one of its input ends here, and layers "
                "behind it count padded steps as data. Put it before the masking layer, or set "
                "`supports_masking = True` "
                "in a layer of your own that keeps the time axis.",
                stacklevel=4,
            )
        return
    flat = [leaf for leaf in trees.flatten(outputs) if isinstance(leaf, (Tensor, KerasTensor))]
    if flat and all(getattr(leaf, "_keras_mask", None) is not None for leaf in flat):
        return
    masks = layer.compute_mask(inputs, previous_mask)
    if masks is None:
        return
    for leaf, mask in zip(flat, trees.flatten(masks), strict=False):
        if mask is not None and getattr(leaf, "_keras_mask", None) is None:
            leaf._keras_mask = mask


def _attach_masks(structure: Any, masks: Any) -> None:
    """Give tensors that came through a trace their masks back."""
    for leaf, mask in zip(trees.flatten(structure), trees.flatten(masks), strict=True):
        if mask is not None:
            leaf._keras_mask = mask


# --- compiled ------------------------------------------------------------------------------------
def _may_compile(layer: Any, bound: dict[str, Any]) -> bool:
    if scopes.inspect is not None or "_needs_values" in vars(layer):
        return False
    for leaf in trees.flatten(list(bound.values())):
        if isinstance(leaf, Tensor) and (isinstance(leaf._value, Tracer) or isinstance(leaf, HostTensor)):
            return False
    return not is_tracing() and is_pure(layer)


def _run_plan(layer: Any, spec: CallSpec, bound: dict[str, Any], previous_mask: Any, training: Any, given: Any) -> Any:
    leaves = trees.flatten((bound, previous_mask))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    key = _plan_key(spec, bound, tensors, training, previous_mask, given)
    plan = layer._plans.get(key)
    if plan is None or not plan.is_current():

        def run(*inner: Tensor) -> Any:
            inner_bound, inner_mask = trees.pack((bound, previous_mask), _replaced(leaves, inner))
            if inner_mask is not None:
                _attach_masks(inner_bound[spec.first], inner_mask)
            context = CallContext(layer, training)
            outputs = _run_call(layer, spec, inner_bound, inner_mask, context, training)
            plan_owners[:] = [owner for owner, _ in context.losses]
            masks = [getattr(leaf, "_keras_mask", None) for leaf in trees.flatten(outputs)]
            extras = {"losses": [loss for _, loss in context.losses], "masks": masks}
            return outputs, extras if context.losses or has_any(masks) else ()

        plan_owners: list[Any] = []
        try:
            plan = Plan(layer, run, tensors)
        except TraceError as error:
            raise _NeedsValuesError from error
        plan.owners = plan_owners
        layer._plans[key] = plan
    outputs, extras = plan.run(tensors)
    if extras:
        keep_extras(layer, plan, outputs, extras)
    return outputs


def _plan_key(
    spec: CallSpec, bound: dict[str, Any], tensors: list[Tensor], training: Any, previous_mask: Any, given: Any
) -> Any:
    """What a plan depends on; the short form is the one that ``Layer.__call__`` looks up without coming here."""
    plain = len(bound) - spec.has_training <= 1 and len(tensors) == 1 and (given is None or type(given) is bool)
    if plain and previous_mask is None and bound.get(spec.first or "") is tensors[0]:
        value = tensors[0]._value
        return (value.shape, value.dtype, given)
    structure = trees.map_structure(lambda leaf: None if isinstance(leaf, Tensor) else _hashable(leaf), bound)
    return (repr(structure), training, previous_mask is None, *((t._value.shape, t._value.dtype) for t in tensors))


def _hashable(leaf: Any) -> Any:
    if isinstance(leaf, (bool, int, float, str, type(None))):
        return leaf
    return f"{type(leaf).__name__}@{id(leaf)}"


def keep_extras(layer: Any, plan: Any, outputs: Any, extras: dict[str, Any]) -> None:
    """Put the losses and masks that a compiled call gave back where an uncompiled one leaves them."""
    call_context.clear_losses(layer)
    for owner, loss in zip(plan.owners, extras["losses"], strict=True):
        owner._losses.append(loss)
    for leaf, mask in zip(trees.flatten(outputs), extras["masks"], strict=True):
        if mask is not None:
            leaf._keras_mask = mask


# --- symbolic ------------------------------------------------------------------------------------
def _call_symbolic(
    layer: Any, spec: CallSpec, bound: dict[str, Any], previous_mask: Any, training: Any, asked: Any
) -> Any:
    own = scopes.call is None
    context = CallContext(layer, training) if own else scopes.call
    before = context.training
    context.training = training
    args, kwargs = split(spec, bound)
    given = bound.get(spec.first or "")
    try:
        with override(call=context, autocast=_autocast_of(layer)), name_scope(layer.name):
            if not args and spec.first in kwargs:
                # The first argument by position, as callers write it and model files store it.
                first = kwargs.pop(spec.first)
                args = (first,)
            if asked is None:
                # A flag that was not given must not become part of the graph: the model's own is in force when it runs.
                kwargs.pop("training", None)
            kwargs = {name: value for name, value in kwargs.items() if not (name in spec.mask_names and value is None)}
            outputs = layer.symbolic_call(*args, **kwargs)
    finally:
        context.training = before
    _set_masks(layer, given, outputs, previous_mask)
    return outputs


def output_spec(layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Symbolic outputs: by ``compute_output_shape`` where the class has its own, else by an abstract run."""
    from_shape = type(layer).compute_output_shape
    if not getattr(from_shape, "is_default", False):
        spec = call_spec(layer)
        bound = spec.bind(args, kwargs)
        known = shapes_of(tensor_arguments(spec, bound))
        if len(known) == 1:
            out = layer.compute_output_shape(next(iter(known.values())))
        else:
            out = layer.compute_output_shape(**{f"{name}_shape": shape for name, shape in known.items()})
        return _symbols(out, layer.compute_dtype)
    return infer_outputs(layer, args, kwargs)


def _symbols(shape: Any, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {key: _symbols(one, dtype) for key, one in shape.items()}
    if isinstance(shape, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in shape):
        return type(shape)(_symbols(one, dtype) for one in shape)
    return KerasTensor(shape, dtype)


def infer_outputs(layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Symbolic outputs of ``call``, run abstractly."""

    def run(filled: Any) -> Any:
        inner_args, inner_kwargs = filled
        context = scopes.call or CallContext(layer, inner_kwargs.get("training"))
        marks = len(context.losses)
        if call_spec(layer).needs_training and len(inner_args) < 2:
            inner_kwargs = {"training": context.training, **inner_kwargs}
        with override(call=context):
            outputs = layer.call(*inner_args, **inner_kwargs)
        if outputs is None:
            raise ValueError(f"`call` of {type(layer).__name__} '{layer.name}' gave None. Does it lack a `return`?")
        del context.losses[marks:]
        return outputs

    return infer_with_words(run, (args, kwargs))


def stateless(
    layer: Any, trainable: Any, non_trainable: Any, args: tuple, kwargs: dict[str, Any], return_losses: bool
) -> Any:
    """``layer.stateless_call``: values of variables in, new values out."""
    if not layer.built:
        raise ValueError(
            f"`stateless_call` of {type(layer).__name__}: the layer has no variables yet. Build it first: call it "
            "once, or call its `build(input_shape)`."
        )
    values = {}
    for variables, given, what in (
        (layer.trainable_variables, trainable, "trainable_variables"),
        (layer.non_trainable_variables, non_trainable, "non_trainable_variables"),
    ):
        given = list(given)
        if len(given) != len(variables):
            raise ValueError(
                f"`stateless_call` of {type(layer).__name__}: `{what}` takes one value for each of the layer's "
                f"{len(variables)} variables, in the order of its `{what}`. Received: {len(given)} values."
            )
        values.update({variable: as_array(value) for variable, value in zip(variables, given, strict=True)})
    frame = Frame(values, parent=scopes.frame)
    with frame:
        outputs = layer(*args, **kwargs)
        losses = layer.losses if return_losses else None
        changed = [wrap(frame.values[variable]) for variable in layer.non_trainable_variables]
    found = (outputs, changed, losses) if return_losses else (outputs, changed)
    # `jax.grad` and the like want arrays from the functions they are given.
    return unwrap_tree(found) if is_tracing() and not scopes.tapes else found
