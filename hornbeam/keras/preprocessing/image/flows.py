"""The methods of `ImageDataGenerator` that make iterators."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam.keras.preprocessing.image.dataframe import DataFrameIterator
from hornbeam.keras.preprocessing.image.files import DirectoryIterator
from hornbeam.keras.preprocessing.image.iterators import NumpyArrayIterator


class Flows:
    """Iterators over arrays, folders and tables, each with this generator's changes."""

    data_format: str
    dtype: Any

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Endless batches out of an array; arguments as those of `NumpyArrayIterator`."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Endless batches out of a folder of classes; arguments as those of `DirectoryIterator`."""
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            keep_aspect_ratio=keep_aspect_ratio,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Endless batches of the pictures that a table names; arguments as those of `DataFrameIterator`.

        ``class_mode="other"`` is a former name of ``"raw"``. The former arguments ``has_ext``, ``sort`` and
        ``drop_duplicates`` are taken and do nothing: names are whole, rows keep their order and their number.
        """
        keep_aspect_ratio = kwargs.pop("keep_aspect_ratio", False)
        for name in ("has_ext", "sort", "drop_duplicates"):
            if name in kwargs:
                kwargs.pop(name)
                warnings.warn(
                    f"flow_from_dataframe: `{name}` has no effect any more; prepare the table instead.",
                    DeprecationWarning,
                    stacklevel=2,
                )
        if kwargs:
            raise TypeError(f"flow_from_dataframe() has no such arguments: {sorted(kwargs)}")
        if class_mode == "other":
            warnings.warn("class_mode='other' is called 'raw' now.", DeprecationWarning, stacklevel=2)
            class_mode = "raw"
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            data_format=self.data_format,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            validate_filenames=validate_filenames,
            dtype=self.dtype,
        )
