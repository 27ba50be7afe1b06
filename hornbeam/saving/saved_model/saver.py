"""``save`` of any object with variables and compiled functions."""

from __future__ import annotations

from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.keras.models import Model
from hornbeam.saving.saved_model.functions import endpoint_of, functions_of
from hornbeam.saving.saved_model.keras_writer import call_endpoint, input_specs, save_model, served
from hornbeam.saving.saved_model.writer import Plan, write
from hornbeam.saving.tf_checkpoint.graph import ObjectGraph
from hornbeam.saving.tf_checkpoint.objects import is_tracked

__all__ = ["save"]


def save(obj: Any, export_dir: Any, signatures: Any = None, options: Any = None) -> None:
    """Write any object with variables and compiled functions as a SavedModel.

    Args:
        obj: a module, model, or checkpoint-like object.
        export_dir: the folder.
        signatures: a function, or functions by name, to serve; by default those of a Keras model.
        options: see ``SaveOptions``.

    References: TensorFlow ``tf.saved_model.save``.
    """
    if isinstance(obj, Model) and obj.built:
        save_model(obj, export_dir, signatures=signatures)
        return
    if not is_tracked(obj) and not hasattr(obj, "__dict__"):
        raise ValueError(f"Only modules, models and other objects with variables can be saved. Received: {obj!r}")
    graph = ObjectGraph(obj)
    variables = [item for item in graph.items if isinstance(item, Variable)]
    plan = Plan(obj, graph)
    for number, item in enumerate(graph.items):
        if isinstance(item, (Variable, list, tuple, dict)):
            continue
        for name, (function, owner) in functions_of(item).items():
            endpoint = endpoint_of(name, function, owner, variables)
            if endpoint is not None:
                plan.endpoints[(number, name)] = endpoint
    if isinstance(obj, Layer) and (0, "__call__") not in plan.endpoints and obj.built:
        plan.endpoints[(0, "__call__")] = call_endpoint(obj, input_specs(obj), variables)
    plan.signatures = served(signatures, variables)
    write(plan, export_dir)
