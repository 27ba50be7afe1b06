"""Texts to numbers, the plain way: ``Tokenizer`` and what it is made of.

References: Keras ``preprocessing.text`` (its legacy functions). New code may prefer ``layers.TextVectorization``.
"""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import explain

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Characters that part words, the apostrophe left out."""

_MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    Args:
        input_text: the text.
        filters: characters that are taken for ``split``.
        lower: turn capitals into small letters.
        split: what parts two words.

    Example:
        >>> text_to_word_sequence("Hello, my world!")
        ['hello', 'my', 'world']

    References: Keras ``preprocessing.text.text_to_word_sequence``.
    """
    text = input_text.lower() if lower else input_text
    table = str.maketrans(dict.fromkeys(filters, split))
    return [word for word in text.translate(table).split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Sequence[str]] | None = None,
) -> list[int]:
    """A number from 1 to ``n - 1`` for each word, by Python's hash: different in each process.

    References: Keras ``preprocessing.text.one_hot``.
    """
    return hashing_trick(
        input_text, n, hash_function=hash, filters=filters, lower=lower, split=split, analyzer=analyzer
    )


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Sequence[str]] | None = None,
) -> list[int]:
    """A number from 1 to ``n - 1`` for each word; two words may get the same.

    Args:
        text: the text.
        n: one more than the largest number.
        hash_function: from a word to an int; ``"md5"`` gives the same numbers in each process, None is Python's own.
        filters: characters that are taken for ``split``.
        lower: turn capitals into small letters.
        split: what parts two words.
        analyzer: parts the text into words, instead of `text_to_word_sequence`.

    References: Keras ``preprocessing.text.hashing_trick``.
    """
    function: Any = hash_function
    if hash_function is None:
        function = hash
    elif hash_function == "md5":
        function = _md5
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers words by how often they occur, and turns texts into lists of numbers or into tables.

    0 stands for no word. With ``oov_token`` 1 stands for words that are not known.

    Args:
        num_words: only numbers below this are given out; None for all.
        filters: characters that part words.
        lower: turn capitals into small letters.
        split: what parts two words.
        char_level: every character is a word.
        oov_token: stands for words that are not known or not frequent enough; None leaves them out.
        analyzer: parts a text into words, instead of `text_to_word_sequence`.
        **kwargs: ``document_count``, texts seen so far; ``nb_words``, a former name of ``num_words``.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat", "the dog and the cat"])
        >>> tokenizer.texts_to_sequences(["a dog the cat"])
        [[3, 1, 2]]

    References: Keras ``preprocessing.text.Tokenizer``.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        num_words = kwargs.pop("nb_words", num_words)
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Tokenizer has no such arguments: {sorted(kwargs)}")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts: dict[str, int] = collections.OrderedDict()
        self.word_docs: dict[str, int] = collections.defaultdict(int)
        self.index_docs: dict[int, int] = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> Sequence[str]:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Learn words and their frequencies; may be called several times.

        Args:
            texts: strings, or lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        # Words of one frequency stay in the order in which they were met.
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        vocabulary = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {word: number for number, word in enumerate(vocabulary, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Learn in how many lists each number occurs, for ``mode="tfidf"``."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Lists of numbers, one for each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Lists of numbers, one text after another."""
        oov = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            kept = (number if self._is_frequent(number) else oov for number in numbers)
            yield [number for number in kept if number is not None]

    def _is_frequent(self, number: int | None) -> bool:
        return number is not None and not (self.num_words and number >= self.num_words)

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Texts of known words with blanks between, one for each list of numbers."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Texts of known words, one list of numbers after another."""
        oov_number = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        oov = None if oov_number is None else self.index_word[oov_number]
        for sequence in sequences:
            words = [
                self.index_word[number] if number in self.index_word and self._is_frequent(number) else oov
                for number in sequence
            ]
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """A table with a row for each text and a column for each word; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """A table with a row for each list and a column for each number.

        Args:
            sequences: lists of numbers.
            mode: ``"binary"`` (whether it occurs), ``"count"``, ``"freq"`` (share of the list), or ``"tfidf"``:
                ``(1 + log count) log(1 + documents / (1 + documents with it))``.

        Returns:
            float64 (lists, ``num_words``, or one more than the words known).

        Raises:
            ValueError: an unknown mode, or nothing was learnt that the table needs.
        """
        if mode not in _MODES:
            raise ValueError(explain("Unknown `mode`.", expected=f"one of {_MODES}", received=f"mode={mode!r}"))
        if not (self.num_words or self.word_index):
            raise ValueError(
                "The width of the table is not known: give `num_words`, or learn words first with fit_on_texts()."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                "mode='tfidf' needs documents to count in: call fit_on_texts() or fit_on_sequences() first."
            )
        width = self.num_words or len(self.word_index) + 1
        table = np.zeros((len(sequences), width))
        for row, sequence in zip(table, sequences, strict=True):
            counts = collections.Counter(number for number in sequence if number < width)
            for number, count in counts.items():
                row[number] = self._weight(mode, number, count, len(sequence))
        return table

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "binary":
            return 1.0
        if mode == "count":
            return float(count)
        if mode == "freq":
            return count / length
        documents = self.document_count / (1 + self.index_docs.get(number, 0))
        return float((1 + np.log(count)) * np.log(1 + documents))

    def get_config(self) -> dict[str, Any]:
        """All that is known, the tables as JSON texts."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """JSON text for `tokenizer_from_json`; ``kwargs`` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The `Tokenizer` of a JSON text that ``to_json`` wrote.

    References: Keras ``preprocessing.text.tokenizer_from_json``.
    """
    config = dict(json.loads(json_string)["config"])
    tables = {name: json.loads(config.pop(name)) for name in ("word_counts", "word_docs", "word_index")}
    # JSON has only text for keys.
    numbered = {
        name: {int(key): value for key, value in json.loads(config.pop(name)).items()}
        for name in ("index_docs", "index_word")
    }
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts = collections.OrderedDict(tables["word_counts"])
    tokenizer.word_docs = collections.defaultdict(int, tables["word_docs"])
    tokenizer.word_index = tables["word_index"]
    tokenizer.index_docs = collections.defaultdict(int, numbered["index_docs"])
    tokenizer.index_word = numbered["index_word"]
    return tokenizer
