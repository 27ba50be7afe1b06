"""Lowerings and platform choices; the only room that knows platforms and JAX versions."""

from hornbeam.engine import memory

# Before XLA takes its first block, and before threads have arenas of their own.
memory.keep_large_blocks()
