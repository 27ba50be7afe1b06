"""Parts of a data set: ``"train"``, ``"train[:80%]"``, ``"train+test[10:20]"``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hornbeam.base.errors import explain

_PART = re.compile(r"(?P<name>[\w.-]+)(\[(?P<start>-?\d+%?)?:(?P<stop>-?\d+%?)?\])?")
_SHARDS = re.compile(r"(?P<name>[\w.-]+)\[(?P<number>\d+)(?P<unit>%)?\]")


class Split(str):
    """Name of a part; the usual ones are attributes.

    References: TensorFlow Datasets ``tfds.Split``.
    """

    TRAIN: Split
    TEST: Split
    VALIDATION: Split
    ALL: Split


Split.TRAIN, Split.TEST, Split.VALIDATION, Split.ALL = (Split(name) for name in ("train", "test", "validation", "all"))


@dataclass(frozen=True)
class Range:
    """Examples ``start`` to ``stop`` of a split."""

    name: str
    start: int
    stop: int

    @property
    def count(self) -> int:
        """Number of examples."""
        return self.stop - self.start


def ranges_of(split: str, sizes: dict[str, int]) -> list[Range]:
    """The examples that a split text names, part by part.

    Args:
        split: the text.
        sizes: number of examples by split.

    Raises:
        ValueError: it cannot be read, or names a split that is not there.
    """
    if split == "all":
        return [Range(name, 0, size) for name, size in sizes.items()]
    found = []
    for part in str(split).split("+"):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(
                explain(
                    "The split cannot be read.",
                    expected="names like 'train', 'train[:80%]', 'train[100:200]', joined by '+'",
                    received=repr(split),
                )
            )
        name = match["name"]
        if name not in sizes:
            raise ValueError(explain("Unknown split.", expected=f"one of {sorted(sizes)}", received=repr(name)))
        start = _place(match["start"], sizes[name], 0)
        found.append(Range(name, start, max(start, _place(match["stop"], sizes[name], sizes[name]))))
    return found


def _place(text: str | None, size: int, default: int) -> int:
    if text is None:
        return default
    if text.endswith("%"):
        share = int(text[:-1])
        if not -100 <= share <= 100:
            raise ValueError(f"A share of a split lies between -100% and 100%. Received: {text}")
        place = round(share / 100 * size)
    else:
        place = int(text)
    return min(size, max(0, place + size if place < 0 else place))


def even_splits(split: str, n: int, *, drop_remainder: bool = False) -> list[Any]:
    """A split in ``n`` parts of equal size, as texts of percentages; ``n`` must divide 100.

    References: TensorFlow Datasets ``tfds.even_splits``.
    """
    if n < 1 or 100 % n:
        raise ValueError(f"even_splits() parts a split by whole percentages: n must divide 100. Received: n={n}")
    if drop_remainder:
        raise ValueError("even_splits(drop_remainder=True) needs the size of the split; cut by numbers instead.")
    step = 100 // n
    return [f"{split}[{step * number}%:{step * (number + 1)}%]" for number in range(n)]
