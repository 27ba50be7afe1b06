"""``StackedRNNCells``: several cells that act as one."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.scopes import name_scope
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import serialization


class StackedRNNCells(Layer):
    """Cells one on top of the other: each gets the output of the one below.

    Args:
        cells: the cells, lowest first.
        **kwargs: ``name``, ``dtype``.

    References: Keras ``layers.StackedRNNCells``.
    """

    pure = True

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            for attribute in ("call", "state_size"):
                if attribute not in dir(cell):
                    raise ValueError(f"StackedRNNCells: every cell must have `{attribute}`. Received: {cell!r}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """State sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Output size of the top cell."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Initial states of the cells."""
        found: list[Any] = []
        for cell in self.cells:
            function = getattr(cell, "get_initial_state", None)
            if function is not None:
                found.append(function(batch_size=batch_size))
            elif isinstance(cell.state_size, int):
                found.append(ops.zeros((batch_size, cell.state_size), dtype=self.compute_dtype))
            else:
                found.append([ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in cell.state_size])
        return found

    def call(self, inputs: Any, states: Any, training: Any = False, **kwargs: Any) -> tuple[Any, Any]:
        """Output of the top cell, and the new states of all."""
        new_states = []
        for cell, held in zip(self.cells, states, strict=True):
            nested = isinstance(held, (list, tuple))
            passed = dict(kwargs)
            if isinstance(cell, Layer) and call_spec(cell).has_training:
                passed["training"] = training
            function: Any = cell if callable(cell) else cell.call
            inputs, new = function(inputs, list(held) if nested else [held], **passed)
            if not nested and isinstance(new, (list, tuple)):
                new = new[0]
            new_states.append(new)
        return inputs, new_states

    def build(self, input_shape: Any) -> None:
        """Build the cells, each for the output of the one below."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                with name_scope(cell.name):
                    cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], _output_size(cell))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Configs of the cells."""
        config = super().get_config()
        config["cells"] = [serialization.serialize_keras_object(cell) for cell in self.cells]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> StackedRNNCells:
        """Cells from their configs."""
        config = dict(config)
        config["cells"] = [
            serialization.deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config["cells"]
        ]
        return super().from_config(config)  # type: ignore[return-value]


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
