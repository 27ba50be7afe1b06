"""``tf.lookup``: tables from keys to values."""

from hornbeam.lookup import experimental
from hornbeam.lookup.initializers import KeyValueTensorInitializer, TextFileIndex, TextFileInitializer
from hornbeam.lookup.tables import StaticHashTable, StaticVocabularyTable

__all__ = [
    "KeyValueTensorInitializer",
    "StaticHashTable",
    "StaticVocabularyTable",
    "TextFileIndex",
    "TextFileInitializer",
    "experimental",
]
