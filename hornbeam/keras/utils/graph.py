"""Questions about symbolic tensors."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.core.symbolic import KerasTensor

__all__ = ["get_source_inputs", "is_keras_tensor"]


def is_keras_tensor(x: Any) -> bool:
    """True for a symbolic tensor, such as ``Input()`` gives.

    References: Keras ``keras.utils.is_keras_tensor``.
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: Any) -> Any:
    """The input tensors that a symbolic tensor was computed from, each once.

    References: Keras ``keras.utils.get_source_inputs``.
    """
    if not isinstance(tensor, KerasTensor):
        return tensor
    node = tensor.node
    if node is None:
        return [tensor]
    if node.is_input:
        return trees.flatten(node.outputs)
    sources: dict[int, Any] = {}
    for before in node.inputs:
        sources.update((id(source), source) for source in get_source_inputs(before))
    return list(sources.values())
