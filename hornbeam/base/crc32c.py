"""CRC-32C (Castagnoli), the checksum in TensorFlow's files, with NumPy.

A buffer is cut into lanes; the registers of all lanes advance together, two bytes a step, and are then joined in
pairs: the checksum of ``A + B`` is that of ``A`` moved on by ``len(B)`` zero bytes, exclusive-or that of ``B``.
Moving on is linear over the bits, so for one length it is a table look-up.
"""

from __future__ import annotations

import functools
import sys

import numpy as np

__all__ = ["crc32c", "mask", "masked_crc32c"]

_POLYNOMIAL = 0x82F63B78
_LANE_BYTES = 1024
_BLOCK_LANES = 4096
_ONES = 0xFFFFFFFF


def _make_byte_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_BYTES = _make_byte_table()
_BYTE_LIST = _BYTES.tolist()


@functools.cache
def _pair_table() -> np.ndarray:
    """Register after two bytes, by the two bytes (little-endian) it is combined with."""
    once = _BYTES[np.arange(65536) & 0xFF] ^ (np.arange(65536, dtype=np.uint32) >> 8)
    return (once >> 8) ^ _BYTES[once & 0xFF]


def _apply(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Matrix (32 columns as words) times bit vectors."""
    out = np.zeros_like(values)
    for bit in range(32):
        out ^= np.where((values >> np.uint32(bit)) & 1, matrix[bit], np.uint32(0))
    return out


@functools.cache
def _zeros_matrix(length: int) -> np.ndarray:
    """The register moved on by ``length`` zero bytes, for each of its bits."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if length == 0:
        return bits
    if length == 1:
        return (bits >> 8) ^ _BYTES[bits & 0xFF]
    half = _zeros_matrix(length // 2)
    whole = _apply(half, half)
    return _apply(_zeros_matrix(1), whole) if length % 2 else whole


def _joined(first: int, second: int, second_length: int) -> int:
    moved = _apply(_zeros_matrix(second_length), np.array([first], np.uint32))
    return int(moved[0]) ^ second


def _short(data: bytes, register: int) -> int:
    table = _BYTE_LIST
    for byte in data:
        register = (register >> 8) ^ table[(register ^ byte) & 0xFF]
    return register


def _lanes(block: np.ndarray) -> int:
    """Register of whole lanes from 0: array of bytes (lanes, _LANE_BYTES)."""
    pairs = np.ascontiguousarray(block.view("<u2").T).astype(np.uint32)
    table = _pair_table()
    registers = np.zeros(len(block), np.uint32)
    for column in pairs:
        registers = (registers >> 16) ^ table[(registers ^ column) & 0xFFFF]
    length = _LANE_BYTES
    while len(registers) > 1:
        if len(registers) % 2:
            # A lane of nothing in front changes nothing: its register is 0.
            registers = np.concatenate([np.zeros(1, np.uint32), registers])
        registers = _apply(_zeros_matrix(length), registers[0::2]) ^ registers[1::2]
        length *= 2
    return int(registers[0])


def crc32c(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """Checksum of bytes; ``crc`` is that of what came before them."""
    array = np.frombuffer(data, np.uint8)
    register = crc ^ _ONES
    block_bytes = _BLOCK_LANES * _LANE_BYTES
    whole = len(array) // _LANE_BYTES * _LANE_BYTES if sys.byteorder == "little" and len(array) >= 4096 else 0
    for start in range(0, whole, block_bytes):
        block = array[start : min(start + block_bytes, whole)].reshape(-1, _LANE_BYTES)
        register = _joined(register, _lanes(block), block.size)
    return _short(array[whole:].tobytes(), register) ^ _ONES


def mask(crc: int) -> int:
    """The form in which checksums are stored, so that a checksum of checksums is not degenerate."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & _ONES


def masked_crc32c(data: bytes | bytearray | memoryview) -> int:
    """Stored form of the checksum of bytes."""
    return mask(crc32c(data))
