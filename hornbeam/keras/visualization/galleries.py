"""Galleries: many images in one figure. Needs the extra ``plot``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import ArgumentError
from hornbeam.keras.visualization.boxes import draw_bounding_boxes
from hornbeam.keras.visualization.masks import draw_segmentation_masks
from hornbeam.keras.visualization.pictures import batch_of

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Show images in rows and columns, with their labels above them.

    Args:
        images: ``(batch, height, width, channels)``.
        y_true: class numbers, ``(batch,)``.
        y_pred: predicted class numbers.
        label_map: names by class number; needed with labels.
        rows: rows of the gallery; as square as possible by default.
        cols: columns.
        value_range: least and largest value of a pixel.
        scale: side of an image in inches.
        path: file to write the figure to.
        show: open a window; by default where there is no ``path``.
        transparent: leave the background of the file out.
        dpi: pixels per inch in the file.
        legend_handles: matplotlib handles for a legend below.
        data_format: where the channels are.

    Raises:
        ValueError: both ``path`` and ``show``, labels without ``label_map``, images without a batch axis.
        ImportError: matplotlib is not there.

    References: Keras ``keras.visualization.plot_image_gallery``.
    """
    pyplot = _pyplot("plot_image_gallery")
    if path is not None and show:
        raise ArgumentError("plot_image_gallery(): give `path` to write a file, or `show=True` for a window, not both.")
    if label_map is None and (y_true is not None or y_pred is not None):
        raise ArgumentError("plot_image_gallery(): `y_true` and `y_pred` need `label_map`, the names of the classes.")
    pictures, _ = batch_of(images, data_format, "plot_image_gallery")
    count = len(pictures)
    rows = rows or math.ceil(math.sqrt(count))
    cols = cols or math.ceil(count / rows)
    least, largest = value_range
    pictures = np.clip((pictures.astype("float32") - least) / (largest - least) * 255, 0, 255).astype("uint8")
    figure, axes = pyplot.subplots(
        nrows=rows,
        ncols=cols,
        figsize=(cols * scale, rows * scale),
        frameon=False,
        layout="tight",
        squeeze=False,
        sharex="row",
        sharey="col",
    )
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    labels = [("Label", _numbers(y_true)), ("Pred", _numbers(y_pred))]
    for index, place in enumerate(axes.flat):
        place.axis("off")
        if index >= count:
            continue
        picture = pictures[index]
        place.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray", vmin=0, vmax=255)
        place.margins(x=0, y=0)
        parts = [
            f"{word}: {(label_map or {}).get(found[index], 'Unknown')}" for word, found in labels if index < len(found)
        ]
        if parts:
            place.set_title("  ".join(parts), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show or show is None:
        pyplot.show()
    else:
        return
    pyplot.close(figure)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: dict[str, Any] | None = None,
    y_pred: dict[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images with true and predicted boxes.

    Args:
        images: ``(batch, height, width, channels)``.
        bounding_box_format: format of both sets of boxes.
        y_true: true boxes, as ``draw_bounding_boxes`` takes them.
        y_pred: predicted boxes.
        value_range: least and largest value of a pixel.
        true_color: colour of true boxes.
        pred_color: colour of predicted boxes.
        line_thickness: in pixels.
        font_scale: size of the text.
        text_thickness: in pixels; that of the lines by default.
        class_mapping: names by class number.
        ground_truth_mapping: the same for true boxes alone.
        prediction_mapping: the same for predicted boxes alone.
        legend: say which colour is which.
        legend_handles: matplotlib handles for a legend of your own.
        rows: rows of the gallery.
        cols: columns.
        data_format: where the channels are.
        **kwargs: as for ``plot_image_gallery``.

    Raises:
        ValueError: both ``legend`` and ``legend_handles``, or images without a batch axis.
        ImportError: matplotlib is not there.

    References: Keras ``keras.visualization.plot_bounding_box_gallery``.
    """
    _pyplot("plot_bounding_box_gallery")
    if legend and legend_handles:
        raise ArgumentError("plot_bounding_box_gallery(): give `legend=True` or `legend_handles`, not both.")
    pictures, _ = batch_of(images, data_format, "plot_bounding_box_gallery")
    layers = ((y_true, true_color, ground_truth_mapping), (y_pred, pred_color, prediction_mapping))
    for boxes, color, mapping in layers:
        if boxes is not None:
            pictures = draw_bounding_boxes(
                pictures,
                boxes,
                bounding_box_format,
                class_mapping=mapping or class_mapping,
                color=color,
                line_thickness=line_thickness,
                text_thickness=text_thickness or line_thickness,
                font_scale=font_scale,
                data_format="channels_last",
            )
    if legend:
        from matplotlib import patches

        words = ((true_color, "Ground Truth"), (pred_color, "Prediction"))
        legend_handles = [patches.Patch(color=tuple(np.array(one) / 255.0), label=word) for one, word in words]
    plot_image_gallery(
        pictures,
        value_range=value_range,
        legend_handles=legend_handles,
        rows=rows,
        cols=cols,
        **{"data_format": "channels_last", **kwargs},
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: dict[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show each image in a row of its own, with its true and its predicted mask beside it.

    Args:
        images: ``(batch, height, width, channels)``.
        num_classes: classes from this number on are not drawn.
        value_range: least and largest value of a pixel.
        y_true: class numbers of the pixels, ``(batch, height, width, 1)`` or without the last axis.
        y_pred: predicted class numbers.
        color_mapping: colour by class number.
        blend: mix colour and image.
        alpha: share of the colour.
        ignore_index: class that is not drawn.
        data_format: where the channels are.
        **kwargs: as for ``plot_image_gallery``.

    Raises:
        ValueError: images without a batch axis.
        ImportError: matplotlib is not there.

    References: Keras ``keras.visualization.plot_segmentation_mask_gallery``.
    """
    _pyplot("plot_segmentation_mask_gallery")
    pictures, first = batch_of(images, data_format, "plot_segmentation_mask_gallery")
    columns = [pictures]
    for masks in (y_true, y_pred):
        if masks is None:
            continue
        numbers = np.asarray(ops.convert_to_numpy(masks)).astype("int32")
        if numbers.ndim == 4:
            numbers = numbers[:, 0] if first else numbers[..., 0]
        drawn = draw_segmentation_masks(
            pictures,
            numbers,
            num_classes=num_classes,
            color_mapping=color_mapping,
            alpha=alpha,
            blend=blend,
            ignore_index=ignore_index,
            data_format="channels_last",
        )
        columns.append(drawn)
    mixed = np.stack([np.asarray(column, "float32") for column in columns], axis=1)
    plot_image_gallery(
        mixed.reshape(-1, *pictures.shape[1:]),
        value_range=value_range,
        rows=len(pictures),
        cols=len(columns),
        **{"data_format": "channels_last", **kwargs},
    )


def _numbers(labels: Any) -> list[Any]:
    return [] if labels is None else np.asarray(ops.convert_to_numpy(labels)).tolist()


def _pyplot(owner: str) -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(f"{owner}() needs matplotlib: pip install hornbeam[plot]") from error
    return pyplot
