"""Finding prepared data sets and reading them: ``load``, ``builder``."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.data import Dataset
from hornbeam.tfds.info import DatasetInfo
from hornbeam.tfds.reading import FROM_KERAS, DatasetBuilder, KerasBuilder

_KNOWN_TEXT = """
ag_news_subset bigearthnet binarized_mnist caltech101 cats_vs_dogs celeb_a cifar10 cifar100 cityscapes
cnn_dailymail coco coil100 colorectal_histology covtype cycle_gan deep_weeds diabetic_retinopathy_detection
div2k dtd emnist eurosat fashion_mnist flic food101 glue groove horses_or_humans imagenet2012 imagenette
imagewang imdb_reviews iris kmnist lfw librispeech lm1b malaria mnist mnist_corrupted movielens movie_lens
multi_nli nsynth omniglot open_images_v4 oxford_flowers102 oxford_iiit_pet patch_camelyon penguins
places365_small plant_village quickdraw_bitmap resisc45 rock_paper_scissors shakespeare smallnorb
speech_commands squad stanford_dogs stanford_online_products stl10 sun397 svhn_cropped ted_hrlr_translate
tf_flowers titanic ucf101 uc_merced voc wikipedia wine_quality wmt14_translate yelp_polarity_reviews
"""
_KNOWN = frozenset(_KNOWN_TEXT.split())


class DatasetNotFoundError(ValueError):
    """No data set of that name is prepared, or known."""


def _data_dir(given: Any) -> str:
    folder = given or os.environ.get("TFDS_DATA_DIR") or os.path.join("~", "tensorflow_datasets")
    return os.path.expanduser(os.fspath(folder))


def builder(name: str, *, try_gcs: bool = False, data_dir: Any = None, **builder_kwargs: Any) -> DatasetBuilder:
    """The prepared data set of a name.

    Args:
        name: ``"name"``, ``"name/config"``, with ``":version"`` behind if wanted; ``*`` stands for any number in it.
        try_gcs: refused if True: nothing is downloaded.
        data_dir: where prepared sets are; default ``TFDS_DATA_DIR``, or ``~/tensorflow_datasets``.
        **builder_kwargs: ``config`` and ``version``, instead of writing them into the name.

    Raises:
        DatasetNotFoundError: no such set is prepared there.

    References: TensorFlow Datasets ``tfds.builder``.
    """
    if try_gcs:
        raise NotSupportedError("tfds: try_gcs=True would download; prepare the data set and give `data_dir`.")
    base, _, version = name.partition(":")
    config = builder_kwargs.pop("config", None)
    version = builder_kwargs.pop("version", None) or version
    if builder_kwargs:
        raise TypeError(f"tfds: no such arguments: {sorted(builder_kwargs)}")
    base = f"{base}/{config}" if config else base
    folder = _find(_data_dir(data_dir), base, version)
    if folder is not None:
        return builder_from_directory(folder)
    if base in FROM_KERAS:
        return KerasBuilder(base)
    raise DatasetNotFoundError(
        explain(
            f"The data set {base!r} is not prepared"
            + ("." if base.partition("/")[0] in _KNOWN else ", nor known by name."),
            expected=f"a folder {os.path.join(_data_dir(data_dir), base, version or '<version>')} with "
            "dataset_info.json, features.json and TFRecord files",
            received=f"prepared there: {_prepared(_data_dir(data_dir)) or 'nothing'}",
            fix="prepare it once with the package tensorflow-datasets (elsewhere, if need be), and give its `data_dir`",
        )
    )


def _find(data_dir: str, base: str, version: str) -> str | None:
    if not re.fullmatch(r"[\w./-]+", base) or ".." in base.split("/"):
        return None
    pattern = version.replace("experimental_latest", "*") or "*"
    found = [
        os.path.dirname(path)
        for path in glob.glob(os.path.join(glob.escape(os.path.join(data_dir, base)), pattern, "dataset_info.json"))
    ]
    return max(found, key=_version_key) if found else None


def _version_key(folder: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", os.path.basename(folder))]


def _prepared(data_dir: str) -> list[str]:
    found = glob.glob(os.path.join(glob.escape(data_dir), "**", "dataset_info.json"), recursive=True)
    return sorted({os.path.relpath(os.path.dirname(os.path.dirname(path)), data_dir) for path in found})


def builder_from_directory(builder_dir: Any) -> DatasetBuilder:
    """The prepared data set of a folder ``.../name/version``.

    References: TensorFlow Datasets ``tfds.builder_from_directory``.
    """
    return DatasetBuilder(DatasetInfo.read(os.path.expanduser(os.fspath(builder_dir))))


def load(
    name: str,
    *,
    split: Any = None,
    data_dir: Any = None,
    batch_size: int | None = None,
    shuffle_files: bool = False,
    download: bool = True,
    as_supervised: bool = False,
    decoders: Any = None,
    read_config: Any = None,
    with_info: bool = False,
    builder_kwargs: Mapping[str, Any] | None = None,
    download_and_prepare_kwargs: Mapping[str, Any] | None = None,
    as_dataset_kwargs: Mapping[str, Any] | None = None,
    try_gcs: bool = False,
) -> Any:
    """Read a prepared data set.

    Args:
        name: as for `builder`.
        split: as for `DatasetBuilder.as_dataset`.
        data_dir: where prepared sets are; default ``TFDS_DATA_DIR``, or ``~/tensorflow_datasets``.
        batch_size: examples in a batch; None for single ones, -1 for all in one element.
        shuffle_files: read in another order each time.
        download: either value will do: nothing is downloaded, but for sets that ``keras.datasets`` has.
        as_supervised: pairs of input and target instead of dictionaries.
        decoders: only None.
        read_config: only None.
        with_info: also give the `DatasetInfo`.
        builder_kwargs: further arguments of `builder`.
        download_and_prepare_kwargs: without effect, for nothing is prepared.
        as_dataset_kwargs: further arguments of `DatasetBuilder.as_dataset`.
        try_gcs: refused if True.

    Returns:
        The data set, or its splits by name; with ``with_info`` a pair of this and the info.

    Raises:
        DatasetNotFoundError: no such set is prepared there.

    Example:
        >>> train, info = load("oxford_iiit_pet:3.*.*", split="train", with_info=True)  # doctest: +SKIP

    References: TensorFlow Datasets ``tfds.load``.
    """
    found = builder(name, data_dir=data_dir, try_gcs=try_gcs, **(builder_kwargs or {}))
    dataset = found.as_dataset(
        split,
        batch_size=batch_size,
        shuffle_files=shuffle_files,
        as_supervised=as_supervised,
        decoders=decoders,
        read_config=read_config,
        **(as_dataset_kwargs or {}),
    )
    return (dataset, found.info) if with_info else dataset


def data_source(name: str, *, split: Any = None, data_dir: Any = None, **_: Any) -> Any:
    """Refused: see `load`.

    References: TensorFlow Datasets ``tfds.data_source``.
    """
    raise NotSupportedError(
        f"tfds.data_source({name!r}) is not offered: tfds.load() reads the same examples, by number where it can."
    )


def list_builders(*, with_community_datasets: bool = False) -> list[str]:
    """Names of well-known data sets, and of those that are prepared in the default folder.

    References: TensorFlow Datasets ``tfds.list_builders``.
    """
    del with_community_datasets  # those that are prepared are listed anyway
    return sorted({*_KNOWN, *(name.partition(os.sep)[0] for name in _prepared(_data_dir(None)))})


def as_numpy(dataset: Any) -> Any:
    """Data sets as iterables of NumPy arrays, and tensors as arrays, in their nesting.

    References: TensorFlow Datasets ``tfds.as_numpy``.
    """
    return trees.map_structure(_as_numpy, dataset)


def _as_numpy(value: Any) -> Any:
    if isinstance(value, Dataset):
        return _NumpyView(value)
    return value.numpy() if hasattr(value, "numpy") else np.asarray(value)


class _NumpyView:
    """A data set whose elements are NumPy arrays; may be read several times."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __iter__(self) -> Any:
        return iter(self._dataset.as_numpy_iterator())

    def __len__(self) -> int:
        return len(self._dataset)


def as_dataframe(ds: Any, ds_info: Any = None) -> Any:
    """Examples as rows of a pandas table; ``ds_info`` is taken and not needed.

    References: TensorFlow Datasets ``tfds.as_dataframe``.
    """
    import pandas

    del ds_info
    rows = []
    for element in ds.as_numpy_iterator():
        if isinstance(element, Mapping):
            rows.append({"/".join(map(str, path)): leaf for path, leaf in trees.flatten_with_path(element)})
        else:
            rows.append(dict(enumerate(trees.flatten(element))))
    return pandas.DataFrame(rows)


def disable_progress_bar() -> None:
    """Nothing is prepared, so no bar is shown."""


def enable_progress_bar() -> None:
    """Nothing is prepared, so no bar is shown."""
