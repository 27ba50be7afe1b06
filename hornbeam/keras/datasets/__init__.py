"""Small data sets for tries and lessons, fetched once and kept in the cache.

Each module has a ``load_data`` that gives ``(x_train, y_train), (x_test, y_test)`` as NumPy arrays.

References: Keras ``keras.datasets``.
"""

from hornbeam.keras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
