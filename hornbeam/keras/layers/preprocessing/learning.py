"""How lookup layers learn a vocabulary: by counting words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import data_batches
from hornbeam.ragged.tensor import RaggedTensor


class VocabularyLearning(Layer):
    """``adapt`` of lookup layers; subclasses say what words are and keep the vocabulary."""

    max_tokens: int | None
    mask_token: Any
    oov_token: Any
    output_mode: str
    pad_to_max_tokens: bool
    _has_input_vocabulary: bool
    _idf: np.ndarray | None
    _token_start: int

    def _words(self, x: Any) -> np.ndarray:
        """The words of a batch of data, as an array."""
        raise NotImplementedError

    def _key(self, token: Any) -> Any:
        """What stands for a word in the table."""
        raise NotImplementedError

    def _take(self, tokens: list[Any]) -> None:
        """Make these words the vocabulary."""
        raise NotImplementedError

    def _record_size(self) -> None:
        """Note how many words there are now; refuse a change that the shape of earlier outputs forbids."""
        raise NotImplementedError

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary from data, the most frequent words first.

        Args:
            data: array, tensor or list of samples; a dataset or an iterable of batches.
            steps: batches to look at; all by default.
        """
        self.reset_state()
        if data_batches.is_one_array(data):
            batch = self._as_batch(data)
            if not isinstance(batch, RaggedTensor) and batch.ndim == 1:
                batch = batch[:, None]
            self.update_state(batch)
        else:
            for batch in data_batches.batches(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def _as_batch(self, data: Any) -> Any:
        return data if isinstance(data, RaggedTensor) else self._words(data)

    def update_state(self, data: Any) -> None:
        """Count the words of one more batch."""
        if self._has_input_vocabulary:
            raise ValueError(
                f"Layer '{self.name}' was given its vocabulary, so it cannot be adapted. Leave out `vocabulary`."
            )
        if isinstance(data, RaggedTensor):
            flat = self._words(data.flat_values).reshape(-1).tolist()
            splits = data._splits if data.ragged_rank == 1 else np.array([0, len(flat)])
            documents = [flat[a:b] for a, b in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True)]
        else:
            words = self._words(data)
            words = words.reshape(1, -1) if words.ndim < 2 else words
            flat = words.reshape(-1).tolist()
            documents = words.reshape(len(words), -1).tolist() if self.output_mode == "tf_idf" else []
        self._counts.update(flat)
        if self.output_mode == "tf_idf":
            for document in documents:
                self._document_counts.update(set(document))
            self._num_documents += len(documents)

    def finalize_state(self) -> None:
        """Make the vocabulary from the counts."""
        if self._has_input_vocabulary or not self._counts:
            self._record_size()
            return
        for token in (self.mask_token, self.oov_token):
            if token is not None:
                self._counts.pop(self._key(token), None)
        found = sorted(self._counts.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)
        if self.max_tokens:
            found = found[: self.max_tokens - self._token_start]
        tokens = [token for token, _ in found]
        if self.output_mode == "tf_idf":
            documents = np.array([self._document_counts[token] for token in tokens], np.float64)
            weights = np.log(1 + self._num_documents / (1 + documents)).astype(settings.floatx())
            padded = np.pad(weights, (self._token_start, 0), constant_values=weights.mean())
            if self.pad_to_max_tokens and self.max_tokens is not None:
                padded = np.pad(padded, (0, self.max_tokens - len(padded)))
            self._idf = padded
        self._take(tokens)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget the counts (not the vocabulary)."""
        self._counts: Counter = Counter()
        self._document_counts: Counter = Counter()
        self._num_documents = 0
