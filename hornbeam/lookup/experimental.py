"""``tf.lookup.experimental``: tables that change."""

from hornbeam.lookup.tables import DenseHashTable, MutableHashTable

__all__ = ["DenseHashTable", "MutableHashTable"]
