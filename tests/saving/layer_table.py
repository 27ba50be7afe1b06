"""One small model for every public layer class: the cases of the layer tests, and those that these leave out."""

import inspect
from typing import Any, NamedTuple

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers
from tests.keras.layers.cases import CASES, scaled, square

# Classes of which no model can hold an instance of its own.
WITHOUT_MODEL = {
    "FlaxLayer": "holds a module of another library, which no file can",
    "InputLayer": "stands in every functional model here",
    "JaxLayer": "holds a function, which no file can: tests/keras/layers/test_jax_layer.py",
    "Layer": "the base class; computes nothing",
    "TFSMLayer": "runs a SavedModel that lies outside the file: tests/saving/saved_model/test_write.py",
    "Wrapper": "the base class of wrappers; computes nothing",
}
CUSTOM_OBJECTS = {"square": square, "scaled": scaled}


class Row(NamedTuple):
    """A layer, its inputs, and how it is called on them.

    Attributes:
        label: class name, with arguments where several cases are of one class.
        make: function without arguments that gives the layer.
        inputs: one array for each input of the model, with batch.
        call: function of the layer and the symbolic inputs.
    """

    label: str
    make: Any
    inputs: list
    call: Any

    @property
    def name(self):
        return self.label.split("(")[0]

    def model(self):
        """A functional model of the layer alone, with weights that are no initializer's."""
        given = [keras.Input(x.shape[1:], dtype=_dtype(x), name=f"in{i}") for i, x in enumerate(self.inputs)]
        model = keras.Model(given if len(given) > 1 else given[0], self.call(self.make(), *given))
        rng = np.random.default_rng(0)
        model.set_weights(
            [rng.uniform(0.1, 1, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w for w in model.get_weights()]
        )
        return model

    def feed(self):
        return self.inputs if len(self.inputs) > 1 else self.inputs[0]


def _dtype(array):
    return "string" if array.dtype.kind in "UO" else array.dtype.name


def _alone(layer, x):
    return layer(x)


def _listed(layer, *xs):
    return layer(list(xs))


def _separate(layer, *xs):
    return layer(*xs)


def _cell(layer, x, *states):
    return layer(x, list(states))[0]


def _from_case(case):
    inputs = case.inputs()
    if case.call:
        return Row(
            case.label(),
            lambda: case.make(layers),
            inputs if isinstance(inputs, list) else [inputs],
            lambda layer, *xs: layer(list(xs) if len(xs) > 1 else xs[0], **case.call),
        )
    many = isinstance(inputs, list)
    return Row(case.label(), lambda: case.make(layers), inputs if many else [inputs], _listed if many else _alone)


def _floats(*shape):
    return np.random.default_rng(1).random(shape, "float32")


def _pictures():
    factor = {
        "RandomBrightness": 0.1,
        "RandomColorDegeneration": 0.1,
        "RandomContrast": 0.1,
        "RandomHue": 0.1,
        "RandomPosterization": 4,
        "RandomRotation": 0.1,
        "RandomSaturation": 0.1,
        "RandomSharpness": 0.1,
        "RandomShear": 0.1,
        "RandomTranslation": (0.1, 0.2),
        "RandomZoom": 0.1,
        "RandomHeight": 0.2,
        "RandomWidth": 0.2,
        "RandomCrop": (4, 5),
    }
    for name in (
        "AugMix",
        "AutoContrast",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "CutMix",
        "Equalization",
        "MixUp",
        "RandAugment",
        "RandomColorJitter",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomFlip",
        "RandomGaussianBlur",
        "RandomGrayscale",
        "RandomInvert",
        "RandomPerspective",
        "Solarization",
        *factor,
    ):
        arguments = factor.get(name, ())
        arguments = arguments if isinstance(arguments, tuple) else (arguments,)
        yield name, arguments


def _others():
    for name, arguments in _pictures():
        yield name, lambda kind, a=arguments: kind(*a), [_floats(2, 8, 8, 3)], _alone
    step, state = _floats(2, 4), _floats(2, 3)
    yield "SimpleRNNCell", lambda kind: kind(3), [step, state], _cell
    yield "GRUCell", lambda kind: kind(3), [step, state], _cell
    yield "LSTMCell", lambda kind: kind(3), [step, state, state], _cell
    cells = [layers.GRUCell(3), layers.SimpleRNNCell(3)]
    yield "StackedRNNCells", lambda kind: kind(cells), [step, state, state], _cell
    pair = [_floats(2, 5, 4), _floats(2, 3, 4)]
    yield "MultiHeadAttention", lambda kind: kind(2, 3), pair, _separate
    yield "GroupedQueryAttention", lambda kind: kind(3, 4, 2), pair, _separate
    yield "SpectralNormalization", lambda kind: kind(layers.Dense(3)), [_floats(2, 4)], _alone
    yield "ThresholdedReLU", lambda kind: kind(0.4), [_floats(2, 4)], _alone
    yield "STFTSpectrogram", lambda kind: kind(frame_length=8, frame_step=4, fft_length=8), [_floats(2, 32, 1)], _alone
    pipeline = [layers.Rescaling(0.5), layers.Resizing(4, 4)]
    yield "Pipeline", lambda kind: kind(pipeline), [_floats(2, 8, 8, 3)], _alone
    words = np.array([["a", "b"], ["c", "unseen"]], dtype=object)
    numbers = np.array([[3, 7], [9, 100]], dtype="int64")
    yield "StringLookup", lambda kind: kind(vocabulary=["a", "b", "c"]), [words], _alone
    yield "IntegerLookup", lambda kind: kind(vocabulary=[3, 7, 9]), [numbers], _alone
    texts = np.array([["a b"], ["c unseen"]], dtype=object)
    yield "TextVectorization", lambda kind: kind(vocabulary=["a", "b", "c"]), [texts], _alone
    yield "Hashing", lambda kind: kind(4), [numbers], _alone
    yield "HashedCrossing", lambda kind: kind(5), [numbers[:, :1], numbers[:, 1:]], _listed


def _from_others(name, make, inputs, call):
    return Row(name, lambda: make(getattr(layers, name)), inputs, call)


def _boxes():
    inputs = [_floats(2, 8, 8, 3), _floats(2, 3, 4), np.zeros((2, 3), "int32")]

    def make():
        return layers.MaxNumBoundingBoxes(max_number=2, bounding_box_format="xyxy")

    def call(layer, image, box, label):
        return layer({"images": image, "bounding_boxes": {"boxes": box, "labels": label}})

    return Row("MaxNumBoundingBoxes", make, inputs, call)


ROWS = [
    *(_from_case(case) for case in CASES),
    *(_from_others(*other) for other in _others()),
    _boxes(),
]
FIRST_ROWS = list({row.name: row for row in reversed(ROWS)}.values())[::-1]


def public_layers():
    """Names of all layer classes, each once."""
    classes = {getattr(layers, name) for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    return {kind.__name__ for kind in classes if issubclass(kind, layers.Layer)}
