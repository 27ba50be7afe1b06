"""Base classes that user code derives from."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.keras.layers import Layer


class AbstractRNNCell(Layer):
    """Base of cells written by users, for ``layers.RNN``.

    Subclasses give ``call(inputs, states)``, ``state_size`` and ``output_size``.

    References: Keras 2 ``layers.AbstractRNNCell``.
    """

    def call(self, inputs: Any, states: Any) -> Any:
        """Outputs and new states of one step."""
        raise NotImplementedError(f"{type(self).__name__} must override `call(inputs, states)`.")

    @property
    def state_size(self) -> Any:
        """Size, or sizes, of the states."""
        raise NotImplementedError(f"{type(self).__name__} must override the property `state_size`.")

    @property
    def output_size(self) -> Any:
        """Size of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} must override the property `output_size`.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for each state."""
        if inputs is not None:
            batch_size, dtype = inputs.shape[0], inputs.dtype
        dtype = dtype or self.compute_dtype
        return trees.map_structure(lambda size: ops.zeros((batch_size, size), dtype), self.state_size)


class PreprocessingLayer(Layer):
    """Base of preprocessing layers written by users: state that is computed from data by ``adapt``.

    Subclasses give ``update_state(data)``, and ``reset_state`` and ``finalize_state`` if they need them.

    References: Keras 2 ``layers.experimental.preprocessing.PreprocessingLayer``.
    """

    is_adapted: bool = False

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Compute the state from data.

        Args:
            data: an array, or a source of batches.
            batch_size: samples in a batch, for arrays; default all at once.
            steps: number of batches; default all.
        """
        self.reset_state()
        for index, batch in enumerate(_batches(data, batch_size)):
            if steps is not None and index >= steps:
                break
            if not self.built:
                self.build(tuple(batch.shape))
                self.built = True
            self.update_state(batch)
        self.finalize_state()
        self.is_adapted = True

    def update_state(self, data: Any) -> None:
        """Add a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} must override `update_state(data)` to be adapted.")

    def reset_state(self) -> None:
        """Start the state anew; nothing to do by default."""

    def finalize_state(self) -> None:
        """Called after the last batch; nothing to do by default."""


def _batches(data: Any, batch_size: int | None) -> Any:
    if hasattr(data, "shape"):
        size = batch_size or data.shape[0]
        return [data[start : start + size] for start in range(0, data.shape[0], size)]
    if isinstance(data, (list, tuple)):
        return _batches(ops.convert_to_tensor(data), batch_size)
    return data
