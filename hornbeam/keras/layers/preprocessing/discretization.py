"""``Discretization``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import data_batches, encoding
from hornbeam.ragged.tensor import RaggedTensor


class Discretization(Layer):
    """Numbers sorted into bins.

    Args:
        bin_boundaries: rising boundaries: bin 0 lies below the first, the last bin from the last on.
        num_bins: number of bins, whose boundaries ``adapt`` learns so that they hold about equally many numbers.
        epsilon: error of the learned quantiles that is taken for a smaller summary.
        output_mode: ``int`` (bin numbers), ``one_hot``, ``multi_hot`` or ``count`` (vectors).
        sparse: give sparse tensors (outside of models only).
        dtype: dtype policy.
        name: name.

    Input shape: any, numbers.
    Output shape: that of the input (int32); with vectors, an axis for the bins.

    Example:
        >>> Discretization(bin_boundaries=[0.0, 1.0, 2.0])(np.array([[-1.5, 1.0, 3.4, 0.5]])).numpy()
        array([[0, 2, 3, 1]], dtype=int32)

    References: Keras ``layers.Discretization``.
    """

    pure = True

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        if sparse and output_mode == "int":
            raise ValueError("Discretization: `sparse=True` goes with output modes other than 'int'.")
        if output_mode not in encoding.MODES:
            raise ValueError(
                f"Discretization: `output_mode` must be one of {encoding.MODES}. Received: {output_mode!r}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"Discretization: `num_bins` must be 0 or more. Received: num_bins={num_bins}")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                f"Discretization: give `num_bins` or `bin_boundaries`, not both. Received: num_bins={num_bins}, "
                f"bin_boundaries={bin_boundaries}"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("Discretization: give `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries, np.float64).tolist()
        self.num_bins, self.epsilon, self.output_mode, self.sparse = num_bins, epsilon, output_mode, sparse
        self.summary = _empty()

    @property
    def input_dtype(self) -> str:
        """Dtype that numbers are taken in."""
        return settings.floatx()

    @property
    def output_dtype(self) -> str:
        """Dtype of the result."""
        return self.compute_dtype if self.output_mode != "int" else "int32"

    # --- learning --------------------------------------------------------------------------------
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the boundaries from data.

        Args:
            data: array or tensor; a dataset or an iterable of batches.
            steps: batches to look at; all by default.
        """
        if self.num_bins is None:
            raise ValueError(
                f"Discretization '{self.name}' was given its boundaries, so it cannot be adapted; use `num_bins`."
            )
        self.reset_state()
        if data_batches.is_one_array(data, lists=False):
            self.update_state(data)
        else:
            for batch in data_batches.batches(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Add one more batch to the summary."""
        array = np.asarray(encoding.flat_of(data)).astype(np.float32)
        self.summary = _merged(_summary(array, self.epsilon), self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Make the boundaries from the summary."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the summary (not the boundaries)."""
        if self.num_bins is not None:
            self.summary = _empty()

    # --- running ---------------------------------------------------------------------------------
    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape, with an axis for the bins where they are encoded."""
        shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        depth = len(self.bin_boundaries) + 1 if self.bin_boundaries is not None else self.num_bins
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
        return (shape[0], *shape[2:], depth) if len(shape) >= 2 else (depth,)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic output."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype)

    def call(self, inputs: Any) -> Any:
        """Bins of numbers."""
        if self.bin_boundaries is None:
            raise ValueError(
                f"Discretization '{self.name}' has no boundaries yet: pass `bin_boundaries`, or call `adapt` first."
            )
        if isinstance(inputs, RaggedTensor) and self.output_mode == "int":
            return inputs.with_flat_values(self.call(inputs.flat_values))
        bins = ops.digitize(inputs, np.asarray(self.bin_boundaries, np.float32))
        out = encoding.encode(bins, self.output_mode, len(self.bin_boundaries) + 1, self.output_dtype)
        return encoding.sparse_output(out, "Discretization") if self.sparse else out

    # --- storing ---------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """Arguments, with the boundaries that were learned."""
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse")
        config = {name: getattr(self, name) for name in names}
        return {**config, "name": self.name, "dtype": self._dtype_policy.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """A layer from its config."""
        if config.get("bin_boundaries") is not None and config.get("num_bins") is not None:
            config = dict(config)
            boundaries = config.pop("bin_boundaries")
            layer = super().from_config(config)
            layer.bin_boundaries = boundaries  # type: ignore[attr-defined]
            return layer  # type: ignore[return-value]
        return super().from_config(config)  # type: ignore[return-value]

    def load_own_variables(self, store: Any) -> None:
        """Take a stored summary, if there is one."""
        if len(store) == 1:
            self.summary = np.asarray(store["0"])

    def stored_shapes(self) -> None:
        """The summary is checked by ``load_own_variables`` itself."""
        return


# --- quantiles -----------------------------------------------------------------------------------
def _empty() -> np.ndarray:
    return np.zeros((2, 0), np.float32)


def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Every n-th of the sorted values, and how many values it stands for."""
    values = np.sort(values.reshape(-1))
    step = max(values.size / (1.0 / epsilon), 1)
    boundaries = values[int(step - 1) :: int(step)]
    return np.stack([boundaries, np.ones_like(boundaries) * step])


def _merged(first: np.ndarray, second: np.ndarray, epsilon: float) -> np.ndarray:
    both = np.concatenate([first, second], axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of at most ``1 / epsilon`` values, by interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    total = summary[1].cumsum()
    places = total / total[-1]
    values = np.interp(shares, places, summary[0])
    sums = np.interp(shares, places, total)
    weights = sums - np.concatenate([[0], sums[:-1]])
    return np.stack([values, weights]).astype(np.float32)
