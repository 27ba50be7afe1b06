"""VGG16. References: Keras ``applications.vgg16``."""

from __future__ import annotations

from hornbeam.keras.applications import vgg
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16 = standard(
    "VGG16",
    "vgg16",
    __name__,
    vgg.body((2, 2, 3, 3, 3)),
    about="16 layers of weights, 3x3 convolutions only",
    paper=vgg.PAPER,
    head=vgg.head,
    published=kernels("vgg16", "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
)
preprocess_input = preprocessing("caffe")
