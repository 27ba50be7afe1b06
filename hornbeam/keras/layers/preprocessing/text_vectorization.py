"""``TextVectorization``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import data_batches, encoding, vocabularies
from hornbeam.keras.layers.preprocessing.string_lookup import StringLookup
from hornbeam.keras.saving import serialization
from hornbeam.ops.host import strings as host
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.strings.combining import ngrams as tf_ngrams
from hornbeam.strings.texts import fold, strings, texts_of

_PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")


class TextVectorization(Layer):
    """Texts as rows of word numbers, or as vectors over the vocabulary.

    Each text is standardized, split into words, joined to word groups if asked for, and looked up in a vocabulary that
    is given or learned with ``adapt``. Number 0 is padding, 1 stands for unknown words.

    Args:
        max_tokens: size limit of the vocabulary, special tokens included; None for no limit.
        standardize: ``lower_and_strip_punctuation``, ``lower``, ``strip_punctuation``, None, or a function of string
            tensors.
        split: ``whitespace``, ``character``, None, or a function from string tensors to ragged ones.
        ngrams: groups of up to so many neighbouring words; or a tuple of group sizes.
        output_mode: ``int`` (rows of numbers), ``one_hot``, ``multi_hot``, ``count`` or ``tf_idf`` (vectors).
        output_sequence_length: length that rows are cut or filled up to; the longest text's by default.
        pad_to_max_tokens: vectors have ``max_tokens`` entries even if there are fewer words.
        vocabulary: the words, or the path of a text file.
        idf_weights: weights of the words, in ``tf_idf`` mode.
        sparse: give sparse tensors (outside of models only).
        ragged: give ragged rows of numbers (outside of models only).
        encoding: encoding of the texts.
        name: name.

    Input shape: (batch,) or (batch, 1), strings.
    Output shape: (batch, words) int64; or (batch, vocabulary) floating.

    Example:
        >>> layer = TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["foo bar", "bar baz"])
        >>> layer(["foo qux bar"]).numpy()
        array([[3, 1, 2, 0]])

    References: Keras ``layers.TextVectorization``.
    """

    input_dtype_hint = "string"
    runs_on_host = True

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        standardize, split = _step("standardize", standardize, _STANDARDIZE), _step("split", split, _SPLIT)
        output_mode = encoding_mode(output_mode)
        _check(ngrams, output_mode, output_sequence_length, ragged)
        size = kwargs.pop("vocabulary_size", None)
        given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        super().__init__(name=name, **kwargs)
        self._standardize, self._split, self._ngrams_arg = standardize, split, ngrams
        self._ngrams = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self._output_mode, self._output_sequence_length = output_mode, output_sequence_length
        self._ragged, self._encoding = ragged, encoding
        self._has_input_vocabulary = given
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            sparse=sparse,
            has_input_vocabulary=given,
            encoding=encoding,
            vocabulary_size=size,
        )

    # --- vocabulary ------------------------------------------------------------------------------
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary from texts, the most frequent words first.

        Args:
            data: array, tensor or list of texts; a dataset or an iterable of batches.
            batch_size: has no effect, as all texts of an array are counted at once.
            steps: batches to look at; all by default.
        """
        self.reset_state()
        if data_batches.is_one_array(data):
            texts = texts_of(data, f"TextVectorization '{self.name}'")
            self.update_state(strings(texts[:, None] if texts.ndim == 1 else texts))
        else:
            for batch in data_batches.batches(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the words of one more batch."""
        self._lookup_layer.update_state(self._preprocess(data))

    def finalize_state(self) -> None:
        """Make the vocabulary from the counts."""
        self._lookup_layer.finalize_state()
        self._changed()

    def reset_state(self) -> None:
        """Forget the counts (not the vocabulary)."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Number of words, special tokens included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the words; see ``StringLookup.set_vocabulary``."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)
        self._changed()

    # --- running ---------------------------------------------------------------------------------
    def build(self, input_shape: Any = None) -> None:
        """Nothing to create."""
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, words) or (batch, vocabulary)."""
        shape = tuple(input_shape)
        if self._output_mode == "int":
            return (shape[0] if shape else None, self._output_sequence_length)
        if self._split is None:
            shape = (*shape, 1) if len(shape) <= 1 else shape
        else:
            # A last axis of size 1 holds the text; its words take its place.
            shape = (*(shape[:-1] if len(shape) > 1 else shape), None)
        return self._lookup_layer.compute_output_shape(shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic output."""
        dtype = "int64" if self._output_mode == "int" else settings.floatx()
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def call(self, inputs: Any) -> Any:
        """Numbers of the words of texts."""
        found = self._lookup_layer.call(self._preprocess(inputs))
        if self._output_mode != "int":
            return found
        length = self._output_sequence_length
        if isinstance(found, RaggedTensor):
            if self._ragged:
                return found if length is None else _cut(found, length)
            return found.to_tensor(default_value=0, shape=[None] * (found.ndim - 1) + [length])
        if length is None:
            return found
        found = found[..., :length]
        missing = length - int(found.shape[-1])
        if missing <= 0 or self._ragged:
            return found
        return from_host(np.pad(np.asarray(found._value), [(0, 0)] * (found.ndim - 1) + [(0, missing)]))

    def _preprocess(self, inputs: Any) -> Any:
        """Words of texts, as a string or ragged tensor."""
        encoding.need_known(encoding.flat_of(inputs), f"TextVectorization '{self.name}'")
        inputs = self._standardized(inputs)
        if self._split is not None and len(inputs.shape) > 1 and not isinstance(inputs, RaggedTensor):
            if inputs.shape[-1] != 1:
                raise ValueError(
                    f"TextVectorization '{self.name}': texts to be split have shape (batch,) or (batch, 1). Received: "
                    f"shape {tuple(inputs.shape)}"
                )
            inputs = HostTensor(inputs._value[..., 0])
        if callable(self._split):
            inputs = _called(self._split, inputs, self._encoding)
        elif self._split is not None:
            inputs = _pieces(inputs, self._split)
        return inputs if self._ngrams is None else tf_ngrams(inputs, self._ngrams, separator=" ")

    def _standardized(self, inputs: Any) -> Any:
        if isinstance(inputs, RaggedTensor):
            return inputs.with_flat_values(self._standardized(inputs.flat_values))
        texts = texts_of(inputs, f"TextVectorization '{self.name}'")
        if callable(self._standardize):
            return _called(self._standardize, strings(texts), self._encoding)
        if self._standardize in ("lower", "lower_and_strip_punctuation"):
            texts = host.lower(texts)
        if self._standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            texts = host.without(texts, _PUNCTUATION)
        return strings(texts)

    # --- storing ---------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """Arguments; a vocabulary that was learned is stored as a file beside the weights instead."""
        inner = self._lookup_layer
        return {
            **vocabularies.common_config(self),
            "max_tokens": inner.max_tokens,
            "standardize": _stored(self._standardize),
            "split": _stored(self._split),
            "ngrams": self._ngrams_arg,
            "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length,
            "pad_to_max_tokens": inner.pad_to_max_tokens,
            "sparse": inner.sparse,
            "ragged": self._ragged,
            "vocabulary": vocabularies.listed(inner.input_vocabulary),
            "idf_weights": vocabularies.listed(inner.input_idf_weights),
            "encoding": self._encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        """A layer from its config."""
        config = dict(config)
        for name in ("standardize", "split"):
            if isinstance(config.get(name), dict):
                config[name] = serialization.deserialize_keras_object(config[name])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return super().from_config(config)  # type: ignore[return-value]

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of ``tf_idf`` mode into a store."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take them back."""
        self._lookup_layer.load_own_variables(store)

    def stored_shapes(self) -> None:
        """Weights are checked by ``load_own_variables`` itself."""
        return

    def save_assets(self, dir_path: str) -> None:
        """Write a learned vocabulary to a file in a folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Read it back."""
        self._lookup_layer.load_assets(dir_path)
        self._changed()


# --- arguments -----------------------------------------------------------------------------------
def encoding_mode(mode: Any) -> str:
    """The output mode, checked."""
    return encoding.checked_mode(mode, (*encoding.MODES, "tf_idf"), "TextVectorization")


def _step(name: str, value: Any, known: tuple[str, ...]) -> Any:
    if value is None or callable(value) or value in known:
        return value
    raise ValueError(f"TextVectorization: `{name}` must be one of {known}, None or a function. Received: {value!r}")


def _check(ngrams: Any, output_mode: str, length: Any, ragged: bool) -> None:
    groups = isinstance(ngrams, tuple) and all(isinstance(size, int) for size in ngrams)
    if not (ngrams is None or isinstance(ngrams, int) or groups):
        raise ValueError(
            f"TextVectorization: `ngrams` takes an int, several ints in a tuple, or None. Received: {ngrams!r}"
        )
    if length is not None and output_mode != "int":
        raise ValueError(
            f"TextVectorization: `output_sequence_length` goes with output_mode='int'. Received: {length!r} with "
            f"{output_mode!r}"
        )
    if length is not None and not isinstance(length, int):
        raise ValueError(
            f"TextVectorization: `output_sequence_length` must be None or an integer. Received: {length!r}"
        )
    if ragged and output_mode != "int":
        raise ValueError(f"TextVectorization: `ragged=True` goes with output_mode='int'. Received: {output_mode!r}")


def _stored(step: Any) -> Any:
    return serialization.serialize_keras_object(step) if callable(step) else step


# --- steps ---------------------------------------------------------------------------------------
def _called(function: Callable, inputs: Any, encoding: str) -> Any:
    """Result of a user's function of string tensors, or of NumPy arrays if that is what it takes."""
    try:
        out = function(inputs)
    except (TypeError, AttributeError) as error:
        texts = np.asarray([one.decode(encoding) for one in inputs._value.reshape(-1).tolist()], dtype=np.str_)
        try:
            out = function(texts.reshape(inputs.shape))
        except (TypeError, AttributeError):
            raise error from None
    return out if isinstance(out, (Tensor, RaggedTensor)) else strings(texts_of(out))


def _pieces(inputs: Any, how: str) -> Any:
    if isinstance(inputs, RaggedTensor):
        return inputs.with_flat_values(_pieces(inputs.flat_values, how))
    texts = inputs._value
    parts, lengths = host.split(texts) if how == "whitespace" else host.characters(texts)
    return fold(parts, lengths, texts.shape)


def _cut(x: RaggedTensor, length: int) -> Any:
    """Rows cut to a length."""
    return x[(slice(None),) * (x.ndim - 1) + (slice(0, length),)]
