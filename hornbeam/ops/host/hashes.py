"""Hash functions of texts, for whole arrays at once.

FarmHash ``Fingerprint64`` (public algorithm, 64-bit "na" variant), SipHash-2-4 and MurmurHash64A: those behind
TensorFlow's string hashing, so that bins are the same. Texts of equal length are worked on together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_U = np.uint64
_K0, _K1, _K2 = _U(0xC3A5C85C97CB3127), _U(0xB492B66FBE98F273), _U(0x9AE16A3B2F90404F)
_CAT = _U(0xC6A4A7935BD1E995)
_MURMUR_SEED = 0xDECAFCAFFE
_BLOCK = 64


def fingerprint64(texts: np.ndarray) -> np.ndarray:
    """FarmHash fingerprints of an object array of ``bytes``; ``uint64`` of the same shape."""
    return _by_length(texts, _farm)


def siphash(texts: np.ndarray, key: Any) -> np.ndarray:
    """SipHash-2-4 with a key of two integers; ``uint64`` of the same shape."""
    first, second = (_U(int(part) & 0xFFFFFFFFFFFFFFFF) for part in key)
    return _by_length(texts, lambda rows, length: _sip(rows, length, first, second))


def murmur64(texts: np.ndarray) -> np.ndarray:
    """MurmurHash64A with TensorFlow's seed; ``uint64`` of the same shape."""
    return _by_length(texts, _murmur)


def concatenate_fingerprints(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Fingerprint of a pair of fingerprints."""
    out = first ^ _CAT
    out = (out ^ (_mix(second * _CAT) * _CAT)) * _CAT
    return _mix(_mix(out) * _CAT)


def _by_length(texts: np.ndarray, function: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    flat = texts.reshape(-1).tolist()
    lengths = np.fromiter(map(len, flat), np.int64, len(flat))
    out = np.empty(len(flat), np.uint64)
    with np.errstate(over="ignore"):
        for length in np.unique(lengths).tolist():
            places = np.flatnonzero(lengths == length)
            joined = b"".join(flat[place] for place in places)
            rows = np.frombuffer(joined, np.uint8).reshape(len(places), length)
            out[places] = function(rows, length)
    return out.reshape(texts.shape)


def _word(rows: np.ndarray, start: int, size: int = 8) -> np.ndarray:
    """Little-endian numbers of ``size`` bytes from a column on."""
    kind = "<u8" if size == 8 else "<u4"
    return np.ascontiguousarray(rows[:, start : start + size]).view(kind)[:, 0].astype(np.uint64)


def _rotate(value: np.ndarray, bits: int) -> np.ndarray:
    """Rotation to the right."""
    return (value >> _U(bits)) | (value << _U(64 - bits))


def _mix(value: np.ndarray) -> np.ndarray:
    return value ^ (value >> _U(47))


def _pair(u: np.ndarray, v: np.ndarray, mul: Any) -> np.ndarray:
    a = _mix((u ^ v) * mul)
    return _mix((v ^ a) * mul) * mul


# --- FarmHash ------------------------------------------------------------------------------------
def _farm(rows: np.ndarray, length: int) -> np.ndarray:
    if length <= 16:
        return _farm_to_16(rows, length)
    if length <= 64:
        return _farm_to_64(rows, length)
    return _farm_long(rows, length)


def _farm_to_16(rows: np.ndarray, length: int) -> np.ndarray:
    mul = np.array([_K2]) + _U(2 * length)
    if length >= 8:
        a, b = _word(rows, 0) + _K2, _word(rows, length - 8)
        return _pair(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)
    if length >= 4:
        return _pair(_U(length) + (_word(rows, 0, 4) << _U(3)), _word(rows, length - 4, 4), mul)
    if length:
        wide = rows.astype(np.uint64)
        y = wide[:, 0] + (wide[:, length >> 1] << _U(8))
        z = _U(length) + (wide[:, length - 1] << _U(2))
        return _mix(y * _K2 ^ z * _K0) * _K2
    return np.full(len(rows), _K2)


def _farm_to_64(rows: np.ndarray, length: int) -> np.ndarray:
    mul = np.array([_K2]) + _U(2 * length)
    short = length <= 32
    a, b = _word(rows, 0) * (_K1 if short else _K2), _word(rows, 8)
    c, d = _word(rows, length - 8) * mul, _word(rows, length - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _pair(y, a + _rotate(b + _K2, 18) + c, mul)
    if short:
        return z
    e, f = _word(rows, 16) * mul, _word(rows, 24)
    g, h = (y + _word(rows, length - 32)) * mul, (z + _word(rows, length - 24)) * mul
    return _pair(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, mul)


def _weak(rows: np.ndarray, start: int, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, x, y, z = (_word(rows, start + 8 * i) for i in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    total = a + x + y
    return total + z, b + _rotate(total, 44) + a


def _farm_long(rows: np.ndarray, length: int) -> np.ndarray:
    zeros = np.zeros(len(rows), np.uint64)
    seed = 81
    x, y = zeros + _U(seed), (zeros + _U(seed)) * _K1 + _U(113)
    z = _mix(y * _K2 + _U(113)) * _K2
    v, w = (zeros, zeros), (zeros, zeros)
    x = x * _K2 + _word(rows, 0)
    end = (length - 1) // _BLOCK * _BLOCK
    for start in range(0, end, _BLOCK):
        x, y, z, v, w = _farm_round(rows, start, (x, y, z, v, w), _K1, 1)
    rest = (length - 1) % _BLOCK
    mul = _K1 + ((z & _U(0xFF)) << _U(1))
    w = (w[0] + _U(rest), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _farm_round(rows, end + rest - 63, (x, y, z, v, w), mul, 9)
    return _pair(_pair(v[0], w[0], mul) + _mix(y) * _K0 + z, _pair(v[1], w[1], mul) + x, mul)


def _farm_round(rows: np.ndarray, start: int, state: tuple, mul: Any, factor: int) -> tuple:
    x, y, z, v, w = state
    x = _rotate(x + y + v[0] + _word(rows, start + 8), 37) * mul
    y = _rotate(y + v[1] + _word(rows, start + 48), 42) * mul
    x = x ^ (w[1] * _U(factor))
    y = y + v[0] * _U(factor) + _word(rows, start + 40)
    z = _rotate(z + w[0], 33) * mul
    v = _weak(rows, start, v[1] * mul, x + w[0])
    w = _weak(rows, start + 32, z + w[1], y + _word(rows, start + 16))
    return z, y, x, v, w


# --- SipHash -------------------------------------------------------------------------------------
def _sip(rows: np.ndarray, length: int, first: Any, second: Any) -> np.ndarray:
    count = len(rows)
    state = [
        np.full(count, start) ^ part
        for start, part in zip(
            (_U(0x736F6D6570736575), _U(0x646F72616E646F6D), _U(0x6C7967656E657261), _U(0x7465646279746573)),
            (first, second, first, second),
            strict=True,
        )
    ]
    whole = length // 8 * 8
    tail = np.zeros((count, 8), np.uint8)
    tail[:, : length - whole] = rows[:, whole:]
    tail[:, 7] = length & 0xFF
    for word in [*(_word(rows, start) for start in range(0, whole, 8)), _word(tail, 0)]:
        state[3] = state[3] ^ word
        state = _sip_round(_sip_round(state))
        state[0] = state[0] ^ word
    state[2] = state[2] ^ _U(0xFF)
    for _ in range(4):
        state = _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state: list[np.ndarray]) -> list[np.ndarray]:
    a, b, c, d = state
    a = a + b
    b = _rotate(b, 64 - 13) ^ a
    a = _rotate(a, 32)
    c = c + d
    d = _rotate(d, 64 - 16) ^ c
    a = a + d
    d = _rotate(d, 64 - 21) ^ a
    c = c + b
    b = _rotate(b, 64 - 17) ^ c
    return [a, b, _rotate(c, 32), d]


# --- MurmurHash ----------------------------------------------------------------------------------
def _murmur(rows: np.ndarray, length: int) -> np.ndarray:
    state = np.full(len(rows), _U(_MURMUR_SEED)) ^ (np.array([_U(length)]) * _CAT)
    whole = length // 8 * 8
    for start in range(0, whole, 8):
        word = _mix(_word(rows, start) * _CAT) * _CAT
        state = (state ^ word) * _CAT
    if length > whole:
        tail = np.zeros((len(rows), 8), np.uint8)
        tail[:, : length - whole] = rows[:, whole:]
        state = (state ^ _word(tail, 0)) * _CAT
    return _mix(_mix(state) * _CAT)
