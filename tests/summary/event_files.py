"""Reads event files by hand, as an independent check of what is written."""

from __future__ import annotations

import pathlib
import struct
from typing import NamedTuple

import numpy as np

from hornbeam.io.records import read_records
from hornbeam.io.wire import fields


class Entry(NamedTuple):
    """One summary: `value` is a number or an array; strings are an array of `bytes` objects."""

    step: int
    tag: str
    plugin: str
    value: object
    description: str


_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 9: "<i8", 10: "?"}


def event_files(folder):
    return sorted(pathlib.Path(folder).glob("events.out.tfevents.*"))


def events(folder):
    """Fields of every event of a folder, as dicts of lists by number."""
    for path in event_files(folder):
        for record in read_records(str(path)):
            yield by_number(record)


def by_number(message):
    found = {}
    for number, _, value in fields(message):
        found.setdefault(number, []).append(value)
    return found


def entries(folder):
    found = []
    for event in events(folder):
        for summary in event.get(5, []):
            for value in by_number(summary)[1]:
                found.append(_entry(event.get(2, [0])[0], by_number(value)))
    return found


def _entry(step, value):
    metadata = by_number(value[9][0]) if value.get(9) and value[9][0] else {}
    plugin = by_number(metadata[1][0])[1][0].decode() if metadata.get(1) else ""
    description = metadata.get(3, [b""])[0].decode()
    return Entry(step, value[1][0].decode(), plugin, _tensor(by_number(value[8][0])), description)


def _tensor(tensor):
    sizes = [by_number(size).get(1, [0])[0] for size in by_number(tensor[2][0]).get(2, [])]
    if tensor[1][0] == 7:
        strings = np.empty(len(tensor.get(8, [])), object)
        strings[:] = tensor.get(8, [])
        return strings.reshape(sizes)
    if 5 in tensor:
        return struct.unpack("<f", tensor[5][0])[0]
    return np.frombuffer(tensor.get(4, [b""])[0], _DTYPES[tensor[1][0]]).reshape(sizes)


def by_tag(folder):
    """For each tag its list of (step, value)."""
    found = {}
    for entry in entries(folder):
        found.setdefault(entry.tag, []).append((entry.step, entry.value))
    return found
