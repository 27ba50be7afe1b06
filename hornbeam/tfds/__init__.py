"""Prepared data sets in the layout of ``tensorflow_datasets``, read without TensorFlow.

A data set is a folder ``data_dir/name/version`` with ``dataset_info.json``, ``features.json`` and TFRecord files, as
``tensorflow_datasets`` prepares it. Preparing (downloading and converting) is not done here; a few small sets are taken
from ``keras.datasets`` instead.

References: TensorFlow Datasets ``tfds``.
"""

from hornbeam.tfds import features
from hornbeam.tfds.builders import (
    DatasetBuilder,
    DatasetNotFoundError,
    as_dataframe,
    as_numpy,
    builder,
    builder_from_directory,
    data_source,
    disable_progress_bar,
    enable_progress_bar,
    list_builders,
    load,
)
from hornbeam.tfds.info import DatasetInfo, SplitInfo
from hornbeam.tfds.splits import Split, even_splits

__version__ = "4.9.9"

__all__ = [
    "DatasetBuilder",
    "DatasetInfo",
    "DatasetNotFoundError",
    "Split",
    "SplitInfo",
    "as_dataframe",
    "as_numpy",
    "builder",
    "builder_from_directory",
    "data_source",
    "disable_progress_bar",
    "enable_progress_bar",
    "even_splits",
    "features",
    "list_builders",
    "load",
]
