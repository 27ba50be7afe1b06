"""Base of ``StringLookup`` and ``IntegerLookup``: numbers for the words of a vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from itertools import repeat
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import UnsafeFileError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.errors import FailedPreconditionError, InvalidArgumentError
from hornbeam.keras.layers.preprocessing import encoding, vocabularies
from hornbeam.keras.layers.preprocessing.learning import VocabularyLearning
from hornbeam.keras.saving.scopes import state as saving_state
from hornbeam.lookup.tables import on_parts
from hornbeam.ops.host import hashes
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor

_BEYOND = np.iinfo(np.int64).max


class IndexLookup(VocabularyLearning):
    """Numbers for words: first the mask token (if any), then the unknown words, then the vocabulary.

    Subclasses say what words are, by ``as_words`` (tensor to array), ``vocabulary_dtype`` and ``_spelled``.
    """

    keeps_wide_integers = True
    runs_on_host = True
    vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        output_mode = encoding.checked_mode(output_mode, (*encoding.MODES, "tf_idf"), owner)
        vocabularies.check_arguments(owner, max_tokens, num_oov_indices, pad_to_max_tokens, invert, output_mode, sparse)
        salt = vocabularies.checked_salt(salt, oov_method, self.vocabulary_dtype, owner)
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(f"{owner}: `idf_weights` go with output_mode='tf_idf'. Received: {output_mode!r}")
        frozen = kwargs.pop("vocabulary_size", None)
        given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        # Numbers of words have their own dtype, whatever the policy.
        kwargs.pop("trainable", None)
        kwargs.pop("dtype", None)
        super().__init__(name=name, **kwargs)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.output_mode, self.invert, self.sparse = output_mode, invert, sparse
        self.pad_to_max_tokens, self.oov_method, self.salt = pad_to_max_tokens, oov_method, salt
        self.input_vocabulary = None if isinstance(vocabulary, (str, os.PathLike)) else vocabulary
        self.input_idf_weights = idf_weights
        self._frozen_vocab_size = frozen
        self._has_input_vocabulary = given
        self._tokens: list[Any] | None = None
        self._numbers: dict[Any, int] = {}
        self._idf: np.ndarray | None = None
        if output_mode == "tf_idf" and given and idf_weights is None:
            raise ValueError(f"{owner}: with output_mode='tf_idf', `vocabulary` needs `idf_weights` beside it.")
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # --- vocabulary ------------------------------------------------------------------------------
    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The words in the order of their numbers.

        Args:
            include_special_tokens: begin with the mask token and the token of unknown words.
        """
        tokens = [self._spelled(token) for token in self._tokens or ()]
        if not include_special_tokens:
            return tokens
        head = [self.oov_token] * self.num_oov_indices
        return ([self.mask_token] if self._oov_start else []) + head + tokens

    def vocabulary_size(self) -> int:
        """Number of words, special tokens included."""
        return len(self._tokens or ()) + self._token_start

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the words.

        Args:
            vocabulary: list, array or tensor of words, with or without the special tokens in front; or the path of a
                text file with a word a line.
            idf_weights: weight of each word, in ``tf_idf`` mode.

        Raises:
            ValueError: words occur twice, reserved tokens stand among them, or they are too many.
        """
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError(f"{self.name}: with output_mode='tf_idf', give `idf_weights` beside the vocabulary.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(f"{self.name}: `idf_weights` go with output_mode='tf_idf'; it is {self.output_mode!r}.")
        if isinstance(vocabulary, (str, os.PathLike)):
            if saving_state.safe_mode is True:
                raise UnsafeFileError(
                    f"{self.name}: the config names a vocabulary file outside of the model file: {vocabulary!r}. It is "
                    "not read in safe mode; load with safe_mode=False if you trust the model."
                )
            words = vocabularies.read(vocabulary, self.vocabulary_dtype, self.output_mode)
            self._take(words)
            return
        words = self._parsed(vocabulary)
        if not words:
            raise ValueError(f"{self.name}: the vocabulary is empty.")
        special = self._special()
        bare = len(special) > 0 and words[: len(special)] == special
        tokens = words[len(special) :] if bare else words
        self._check_tokens(tokens)
        self._take(tokens)
        if idf_weights is not None:
            self._take_idf(np.asarray(rows.host(idf_weights), np.float64), len(words), bare)

    def _special(self) -> list[Any]:
        tokens = [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices
        return [self._key(token) for token in tokens]

    def _check_tokens(self, tokens: list[Any]) -> None:
        twice = [self._spelled(token) for token, count in Counter(tokens).items() if count > 1]
        if twice:
            raise ValueError(f"{self.name}: the vocabulary has repeated terms: {twice}. Give each word once.")
        for what, token in (("mask_token", self.mask_token), ("oov_token", self.oov_token if self.invert else None)):
            if token is not None and self._key(token) in tokens:
                raise ValueError(
                    f"{self.name}: the reserved {what} {token!r} stands in the midst of the vocabulary. Leave special "
                    f"tokens out, or put all in front: {[self._spelled(one) for one in self._special()]}."
                )
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"{self.name}: the vocabulary is larger than `max_tokens` allows: {size} tokens with the special ones, "
                f"max_tokens={self.max_tokens}."
            )

    def _take(self, tokens: list[Any]) -> None:
        self._tokens = tokens
        self._numbers = dict(zip(tokens, range(self._token_start, self._token_start + len(tokens)), strict=True))
        self._record_size()
        self._changed()

    def _record_size(self) -> None:
        size = self.vocabulary_size()
        fixed = self.output_mode == "int" or self.pad_to_max_tokens
        if not fixed and self._frozen_vocab_size is not None and size != self._frozen_vocab_size:
            raise RuntimeError(
                f"{self.name}: the size of the vocabulary sets the size of the output, so it cannot change from "
                f"{self._frozen_vocab_size} to {size}. Make a new layer, or use pad_to_max_tokens=True."
            )
        self._frozen_vocab_size = size

    def _take_idf(self, weights: np.ndarray, count: int, bare: bool) -> None:
        if weights.ndim != 1 or len(weights) != count:
            raise ValueError(
                f"{self.name}: `idf_weights` must hold one number for each of the {count} words. Received: shape "
                f"{weights.shape}"
            )
        front = 0 if bare else self._token_start
        padded = self.pad_to_max_tokens and self.max_tokens is not None
        back = self.max_tokens - front - len(weights) if padded else 0  # type: ignore[operator]
        filled = np.pad(weights, (front, back), constant_values=(0 if bare else float(np.average(weights)), 0))
        self._idf = filled.astype(settings.floatx())
        self._changed()

    @property
    def idf_weights(self) -> Any:
        """Weights of the words in ``tf_idf`` mode."""
        return None if self._idf is None else from_host(self._idf)

    # --- running ---------------------------------------------------------------------------------
    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape, with an axis for the categories where they are encoded."""
        shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        depth = self._depth()
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
        return (*shape[:-1], depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic output."""
        if self.output_mode == "int":
            dtype = self.vocabulary_dtype if self.invert else "int64"
        else:
            dtype = settings.floatx()
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def _depth(self) -> Any:
        return self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size

    def call(self, inputs: Any) -> Any:
        """Numbers of words, or words of numbers."""
        if self.output_mode != "int" and not self.pad_to_max_tokens and self._frozen_vocab_size is None:
            raise RuntimeError(
                f"{self.name}: with output_mode={self.output_mode!r} the vocabulary must be set before the first call. "
                "Pass `vocabulary`, call `adapt`, or use pad_to_max_tokens=True."
            )
        if self._tokens is None and not self._has_input_vocabulary:
            raise FailedPreconditionError(
                None, None, f"{self.name} has no vocabulary yet. Pass `vocabulary`, or call `adapt` on data first."
            )
        if self.invert:
            return on_parts(self._words_of, inputs)
        if encoding.is_traced(encoding.flat_of(inputs)):
            return self._traced(inputs)
        if self.output_mode == "int":
            return on_parts(lambda part: from_host(self._look_up(self._words(part))), inputs)
        if isinstance(inputs, RaggedTensor):
            return self._encoded_rows(inputs)
        numbers = self._look_up(self._words(inputs))
        return self._weighted(encoding.encode_rows(numbers, self._row_mode(), self._depth()))

    def _row_mode(self) -> str:
        return "count" if self.output_mode == "tf_idf" else self.output_mode

    def _encoded_rows(self, inputs: RaggedTensor) -> Any:
        numbers = self._look_up(self._words(inputs.flat_values))
        if self.output_mode == "one_hot":
            return inputs.with_flat_values(from_host(encoding.encode_rows(numbers[:, None], "one_hot", self._depth())))
        if inputs.ragged_rank != 1:
            raise ValueError(f"{self.name}: rows of rows are encoded with output_mode='int' or 'one_hot' only.")
        return self._weighted(encoding.encode_rows(numbers, self._row_mode(), self._depth(), inputs._splits))

    def _weighted(self, encoded: np.ndarray) -> Any:
        if self.output_mode == "tf_idf":
            if self._idf is None:
                raise ValueError(f"{self.name}: output_mode='tf_idf' needs `idf_weights`, or a call of `adapt`.")
            encoded = encoded * self._idf
        out = from_host(encoded.astype(settings.floatx(), copy=False))
        return encoding.sparse_output(out, type(self).__name__) if self.sparse else out

    def _look_up(self, words: np.ndarray) -> np.ndarray:
        """Numbers of an array of words, as ``int64``."""
        flat = words.reshape(-1).tolist()
        missing = self._oov_start if self.num_oov_indices == 1 else -1
        numbers = np.fromiter(map(self._numbers.get, flat, repeat(missing)), np.int64, len(flat))
        masked = None
        if self.mask_token is not None:
            key = self._key(self.mask_token)
            masked = np.fromiter((word == key for word in flat), bool, len(flat))
            numbers[masked] = 0 if self.output_mode == "int" else _BEYOND
        if self.num_oov_indices != 1:
            unknown = numbers == -1
            if masked is not None:
                unknown &= ~masked
            if unknown.any():
                numbers[unknown] = self._oov(words.reshape(-1)[unknown])
        return numbers.reshape(words.shape)

    def _oov(self, words: np.ndarray) -> np.ndarray:
        """Numbers of unknown words."""
        if self.num_oov_indices == 0:
            names = [self._spelled(word) for word in words[:10].tolist()]
            raise InvalidArgumentError(
                None,
                None,
                f"{self.name}: with num_oov_indices=0 every word must be in the vocabulary; {names} are not.",
            )
        return self._bins(words) + self._oov_start

    def _bins(self, words: np.ndarray) -> np.ndarray:
        found = hashes.fingerprint64(words) if self.salt is None else hashes.siphash(words, self.salt)
        return (found % np.uint64(self.num_oov_indices)).astype(np.int64)

    def _words_of(self, numbers: Any) -> Any:
        """Words of numbers, for ``invert``."""
        encoding.need_known(numbers, f"{self.name} (invert=True)")
        given = rows.host(numbers).astype(np.int64)
        table = np.empty(self.vocabulary_size(), object)
        table[:] = [None if token is None else self._key(token) for token in self.get_vocabulary()]
        oov = self._key(self.oov_token) if self.oov_token is not None else self._key("" if self._is_text else -1)
        flat = given.reshape(-1)
        known = (flat >= self._token_start) & (flat < len(table))
        found = np.empty(flat.shape, object)
        found[:] = [oov]
        found[known] = table[flat[known]]
        if self.mask_token is not None:
            found[flat == 0] = self._key(self.mask_token)
        found = found.reshape(given.shape)
        return HostTensor(found) if self._is_text else from_host(found.astype(np.int64))

    @property
    def _is_text(self) -> bool:
        return self.vocabulary_dtype == "string"

    # --- what words are, beside `_words` and `_key` ----------------------------------------------
    def _traced(self, inputs: Any) -> Any:
        """Indices of inputs whose values are not known: inside compiled programs."""
        raise NotImplementedError

    def _spelled(self, token: Any) -> Any:
        """A word of the vocabulary as users see it."""
        raise NotImplementedError

    def _parsed(self, vocabulary: Any) -> list[Any]:
        array = rows.host(vocabulary) if not isinstance(vocabulary, (list, tuple)) else list(vocabulary)
        items = array.reshape(-1).tolist() if isinstance(array, np.ndarray) else array
        return [self._key(item) for item in items]

    # --- storing ---------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """Arguments; a vocabulary that was learned is stored as a file beside the weights instead."""
        config = vocabularies.common_config(self)
        names = "invert max_tokens num_oov_indices oov_token mask_token output_mode sparse pad_to_max_tokens"
        config.update({name: getattr(self, name) for name in names.split()})
        config["vocabulary_dtype"] = self.vocabulary_dtype
        config["idf_weights"] = vocabularies.listed(self.input_idf_weights)
        config["vocabulary"] = vocabularies.listed(self.input_vocabulary)
        config.update(vocabulary_size=self._frozen_vocab_size, oov_method=self.oov_method, salt=self.salt)
        return config

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: the layer has no weights to build."""
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Count as built."""
        self.built = True

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of ``tf_idf`` mode into a store."""
        if self.output_mode == "tf_idf" and self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store: Any) -> None:
        """Take them back."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"])

    def stored_shapes(self) -> None:
        """Weights are checked by ``load_own_variables`` itself."""
        return

    def save_assets(self, dir_path: str) -> None:
        """Write a learned vocabulary to a file in a folder."""
        if self.input_vocabulary is None:
            vocabularies.write(os.path.join(dir_path, "vocabulary.txt"), self.get_vocabulary())

    def load_assets(self, dir_path: str) -> None:
        """Read it back."""
        if self.input_vocabulary is not None:
            return
        words = vocabularies.read_asset(os.path.join(dir_path, "vocabulary.txt"), self.vocabulary_dtype)
        if not words:
            return
        words, special = self._parsed(words), self._special()
        # The weights of `tf_idf` mode come with the variables, not here.
        self._take(words[len(special) :] if words[: len(special)] == special else words)
