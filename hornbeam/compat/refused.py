"""Names that are known but not offered: they can be imported, and say what to do instead when they are used."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError


class _Refused(type):
    """Metaclass of stand-ins: a call raises with advice."""

    advice: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError(f"{cls.__name__} is not offered. {cls.advice}")


ADVICE = {
    # layers and models
    "SequenceFeatures": "Use preprocessing layers and `keras.layers.RNN` instead of feature columns.",
    "DynamicEmbedding": "Use `keras.layers.StringLookup` or `IntegerLookup` and `keras.layers.Embedding`.",
    "DynamicLookup": "Use `keras.layers.StringLookup` or `IntegerLookup` with `adapt`.",
    "PeepholeLSTMCell": "Write a cell with the extra connections and give it to `keras.layers.RNN`.",
    "ConvRNN2D": "Use `keras.layers.ConvLSTM2D`, or `keras.layers.RNN` with a cell of your own.",
    "ConvRecurrent2D": "Use `keras.layers.ConvLSTM2D`, or `keras.layers.RNN` with a cell of your own.",
    "Recurrent": "Use `keras.layers.RNN` with a cell of your own.",
    "Graph": "Use the functional API: `keras.Model(inputs, outputs)`, with dicts of named inputs.",
    "MusicTaggerCRNN": "The network was withdrawn in Keras 2 and its weights are gone.",
    # training
    "TFOptimizer": "Use an optimizer of `keras.optimizers`.",
    "EigenvalueRegularizer": "Write it as a function of the weight and give it as a regularizer.",
    "SidecarEvaluator": "Evaluate in a second process: load the newest checkpoint and call `model.evaluate`.",
    "DatasetCreator": "Give the dataset to `fit`.",
}
"""Name to what to do instead, as a sentence."""


def __getattr__(name: str) -> Any:
    if name not in ADVICE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = _Refused(name, (), {"advice": ADVICE[name], "__module__": __name__, "__doc__": ADVICE[name]})
    globals()[name] = made
    return made
