"""Compiled programs (StableHLO) inside graphs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.core import ShapedArray

from hornbeam.base.errors import UnsafeFileError, UnsupportedFileError
from hornbeam.saving.saved_model.graph.table import Node
from hornbeam.saving.tf_checkpoint.kinds import numpy_dtype

__all__ = ["INPUT_SIZES", "OUTPUT_SIZES", "run_module"]

INPUT_SIZES, OUTPUT_SIZES = "_input_sizes", "_output_sizes"
"""Attributes, of our own files only, with the sizes of inputs and outputs as expressions."""
_CALLS = re.compile(r"custom_call\s*@\"?([\w.$-]+)|call_target_name\s*=\s*\"([^\"]+)\"")
_HARMLESS = frozenset(
    {
        "ApproxTopK",
        "LayoutConstraint",
        "SPMDFullToShardShape",
        "SPMDShardToFullShape",
        "Sharding",
        "annotate_device_placement",
        "cu_threefry2x32",
        "cu_threefry2x32_ffi",
        "mhlo.erf",
        "mhlo.topk",
        "shape_assertion",
        "stablehlo.dynamic_approx_top_k",
        "stablehlo.dynamic_reduce_window",
        "stablehlo.dynamic_rng_bit_generator",
        "stablehlo.dynamic_top_k",
    }
)
_HARMLESS_PREFIXES = ("lapack_", "cusolver_", "cublas_", "hipsolver_", "chlo.")
_MAIN = re.compile(r"func\.func public @main\((.*?)\)\s*->\s*\(?(.*?)\)?\s*(?:attributes.*)?\{", re.DOTALL)
_TENSOR = re.compile(r"tensor<((?:[\d?]+x)*)[a-z]\w*>")


def run_module(node: Node, inputs: Sequence[Any]) -> list[Any]:
    """Run the program of a node on arrays.

    Raises:
        UnsafeFileError: the program calls code outside of itself.
        UnsupportedFileError: it cannot be taken by this version of JAX.
    """
    cache = node.machine.programs
    key = (node.name, len(node.raw("module")), hash(node.raw("module")))
    arrays = [jnp.asarray(value) for value in inputs]
    if key not in cache:
        cache[key] = _exported(node, arrays)
    return list(cache[key].call(*arrays))


def _exported(node: Node, arrays: list[Any]) -> export.Exported:
    template = export.export(jax.jit(lambda: ()))()
    module = node.raw("module")
    try:
        text = dataclasses.replace(template, mlir_module_serialized=module).mlir_module()
    except Exception as error:
        raise UnsupportedFileError(
            f"Node {node.name!r}: its compiled program (version {node.number('version')}) cannot be read by this "
            f"version of JAX: {str(error).splitlines()[0][:200]}"
        ) from error
    _check(node, text)
    inputs, outputs = _sizes(node, text, arrays)
    types = [jnp.dtype(array.dtype) for array in arrays]
    results = [_jax_dtype(number) for number in node.dtypes("Tout")]
    none = (None,) * len(arrays)
    none_out = (None,) * len(results)
    named = {
        "_in_named_shardings": none,
        "_out_named_shardings": none_out,
        "in_shardings_hlo": none,
        "out_shardings_hlo": none_out,
    }
    known = {field.name for field in dataclasses.fields(template)}
    return dataclasses.replace(
        template,
        fun_name="saved",
        in_tree=jax.tree_util.tree_structure((tuple(arrays), {})),
        out_tree=jax.tree_util.tree_structure([0] * len(results)),
        in_avals=tuple(ShapedArray(s, t) for s, t in zip(inputs, types, strict=True)),
        out_avals=tuple(ShapedArray(s, t) for s, t in zip(outputs, results, strict=True)),
        platforms=tuple(platform.lower() for platform in node.texts("platforms")) or ("cpu",),
        mlir_module_serialized=module,
        calling_convention_version=node.number("version"),
        module_kept_var_idx=tuple(range(len(arrays))),
        uses_global_constants="?" in text,
        **{name: value for name, value in named.items() if name in known},
    )


def _jax_dtype(number: int) -> Any:
    return jax.dtypes.canonicalize_dtype(numpy_dtype(number))


def _check(node: Node, text: str) -> None:
    for match in _CALLS.finditer(text):
        target = match.group(1) or match.group(2)
        if target not in _HARMLESS and not target.startswith(_HARMLESS_PREFIXES):
            raise UnsafeFileError(
                f"Node {node.name!r}: its compiled program calls {target!r}, code outside of the file, which is "
                "refused. Export the model again without Python callbacks and custom kernels."
            )


def _sizes(node: Node, text: str, arrays: list[Any]) -> tuple[list[Any], list[Any]]:
    """Shapes of inputs and outputs, with symbols for sizes that the program leaves open."""
    scope = export.SymbolicScope()
    inputs, outputs = node.texts(INPUT_SIZES), node.texts(OUTPUT_SIZES)
    if not inputs and arrays:
        inputs, outputs = _guessed(node, text, arrays)
    return [_shape(one, scope) for one in inputs], [_shape(one, scope) for one in outputs]


def _shape(text: str, scope: Any) -> Any:
    return export.symbolic_shape(text, scope=scope) if text else ()


def _guessed(node: Node, text: str, arrays: list[Any]) -> tuple[list[str], list[str]]:
    """Open sizes of the first axis are the batch, those of another axis are equal wherever they occur.

    Where that is wrong the compiler refuses the program: it cannot give wrong numbers.
    """
    match = _MAIN.search(text)
    claimed = _TENSOR.findall(match.group(1)) if match else []
    given = claimed[-len(arrays) :] if len(claimed) >= len(arrays) else ["x".join("?" * np.ndim(a)) for a in arrays]
    inputs = [_named([None if part == "?" else int(part) for part in one.split("x") if part]) for one in given]
    return inputs, [_named(shape or ()) for shape in node.shapes("Sout")]


def _named(shape: Any) -> str:
    return ",".join(str(s) if s is not None else "b" if axis == 0 else f"s{axis}" for axis, s in enumerate(shape))
