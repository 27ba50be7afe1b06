"""Pictures of images with boxes, masks and labels.

References: Keras ``keras.visualization``.
"""

from hornbeam.keras.visualization.boxes import draw_bounding_boxes
from hornbeam.keras.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)
from hornbeam.keras.visualization.masks import draw_segmentation_masks

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
