"""Layers."""

from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.dense import Dense
from hornbeam.keras.layers.core.input_layer import Input, InputLayer

__all__ = ["Dense", "Input", "InputLayer", "InputSpec", "Layer"]
