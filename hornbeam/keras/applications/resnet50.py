"""ResNet50 by itself; the same as in ``applications.resnet``. References: Keras ``applications.resnet50``."""

from hornbeam.keras.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
