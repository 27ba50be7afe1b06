"""VGG19. References: Keras ``applications.vgg19``."""

from __future__ import annotations

from hornbeam.keras.applications import vgg
from hornbeam.keras.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.keras.applications.variants import standard
from hornbeam.keras.applications.weight_files import kernels

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = standard(
    "VGG19",
    "vgg19",
    __name__,
    vgg.body((2, 2, 4, 4, 4)),
    about="19 layers of weights, 3x3 convolutions only",
    paper=vgg.PAPER,
    head=vgg.head,
    published=kernels("vgg19", "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
)
preprocess_input = preprocessing("caffe")
