"""``tf.ragged``: rows of unequal length."""

from hornbeam.ragged import dispatch as _dispatch  # noqa: F401 - gives ragged tensors their part in tf functions
from hornbeam.ragged.construct import (
    boolean_mask,
    constant,
    range,
    row_splits_to_segment_ids,
    segment_ids_to_row_splits,
    stack,
    stack_dynamic_partitions,
)
from hornbeam.ragged.crossing import cross, cross_hashed
from hornbeam.ragged.operators import map_flat_values

__all__ = [
    "boolean_mask",
    "constant",
    "cross",
    "cross_hashed",
    "map_flat_values",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
    "stack",
    "stack_dynamic_partitions",
]
