"""Variables, resources, random numbers, and compiled programs inside graphs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.core.tensor import wrap
from hornbeam.core.variable import Variable
from hornbeam.keras import random
from hornbeam.saving.saved_model.graph.stablehlo import run_module
from hornbeam.saving.saved_model.graph.table import Node, op, static


def _variable(node: Node, handle: Any) -> Variable:
    if not isinstance(handle, Variable):
        raise UnsupportedFileError(
            f"Node {node.name!r} ({node.op}) works on a {type(handle).__name__}, not a variable."
        )
    return handle


@op("ReadVariableOp", foldable=False)
def _read(node: Node, handle: Any) -> Any:
    return _variable(node, handle).read_array()


@op("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp", foldable=False)
def _assign(node: Node, handle: Any, value: Any) -> Any:
    variable = _variable(node, handle)
    method = {"AssignVariableOp": "assign", "AssignAddVariableOp": "assign_add"}.get(node.op, "assign_sub")
    getattr(variable, method)(wrap(jnp.asarray(value)))
    return []


@op("VarHandleOp", "VariableV2", "Variable", foldable=False)
def _handle(node: Node) -> Any:
    name = node.text("shared_name") or node.name
    return node.machine.resource(name)


@op("VarIsInitializedOp", foldable=False)
def _initialized(node: Node, handle: Any) -> Any:
    return np.array(True)


@op("VariableShape", foldable=False)
def _variable_shape(node: Node, handle: Any) -> Any:
    return np.array(tuple(_variable(node, handle).shape), node.dtype("out_type", "int32"))


@op("DisableCopyOnRead", foldable=False)
def _no_copy(node: Node, handle: Any) -> Any:
    return []


@op("ResourceGather", foldable=False)
def _resource_gather(node: Node, handle: Any, indices: Any) -> Any:
    return jnp.take(_variable(node, handle).read_array(), jnp.asarray(indices), axis=0, mode="clip")


# --- random numbers ------------------------------------------------------------------------------
@op("RandomUniform", "RandomStandardNormal", "TruncatedNormal", foldable=False)
def _random(node: Node, shape: Any) -> Any:
    sizes = tuple(int(s) for s in static(node, shape, "shape"))
    dtype = node.dtype("dtype").name
    draw = {"RandomUniform": random.uniform, "RandomStandardNormal": random.normal}.get(
        node.op, random.truncated_normal
    )
    drawn = draw(sizes, dtype=dtype)
    return getattr(drawn, "_value", drawn)


@op("RandomUniformInt", foldable=False)
def _random_integers(node: Node, shape: Any, low: Any, high: Any) -> Any:
    sizes = tuple(int(s) for s in static(node, shape, "shape"))
    bounds = [int(static(node, bound, "bounds")) for bound in (low, high)]
    drawn = random.uniform(sizes, *bounds, dtype=node.dtype("Tout").name)
    return getattr(drawn, "_value", drawn)


@op("StatelessRandomUniformV2", "StatelessRandomNormalV2", foldable=False)
def _stateless(node: Node, shape: Any, key: Any, counter: Any, algorithm: Any) -> Any:
    sizes = tuple(int(s) for s in static(node, shape, "shape"))
    words = jnp.concatenate([jnp.ravel(key), jnp.ravel(counter)]).astype(jnp.uint32)
    seed = jax.random.key(0)
    for word in range(words.shape[0]):
        seed = jax.random.fold_in(seed, words[word])
    draw = jax.random.uniform if "Uniform" in node.op else jax.random.normal
    return draw(seed, sizes, node.dtype("dtype", "float32"))


# --- compiled programs ---------------------------------------------------------------------------
@op("XlaCallModule", foldable=False)
def _call_module(node: Node, *inputs: Any) -> Any:
    return run_module(node, inputs)
