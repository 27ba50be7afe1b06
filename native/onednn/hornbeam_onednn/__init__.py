"""oneDNN's convolutions, products, recurrent layers and gradients of pooling for XLA on the CPU.

``load()`` gives the handlers that XLA calls. The shared library beside this file holds glue alone; oneDNN itself is
found in the environment (package ``onednn-cpu-gomp``), or where ``HORNBEAM_ONEDNN_LIBRARY`` says.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path

__version__ = "0.5.0"
__all__ = ["CELLS", "KINDS", "Kernels", "load"]

KINDS = ("forward", "input_gradient", "kernel_gradient")
CELLS = ("lstm", "gru")
LIBRARY = "HORNBEAM_ONEDNN_LIBRARY"
_DISTRIBUTIONS = ("onednn-cpu-gomp", "onednn")
_FILE = "libdnnl.so.3"
_Numbers = tuple[int, ...]


class Kernels:
    """The loaded library.

    Attributes:
        handlers: kind of operation (one of ``KINDS``) to the function that XLA calls, as ``ctypes`` has it.
        product: that of matrix products.
        recurrent: kind of layer (one of ``CELLS``) to that of it over whole sequences.
        put_back: that of the gradient of max-pooling.
        moments: that of means and variances of channels.
        gradient_sums: that of the sums which their gradient needs.
        hold: that of an operation that gives back its operand.
        path: file of oneDNN.
        version: of oneDNN, such as ``"3.2.0"``.
        shares_threads: True if work runs on XLA's threads; otherwise oneDNN uses threads of its own.
    """

    def __init__(self, glue: ctypes.CDLL, path: str) -> None:
        self._glue = glue
        glue.hornbeam_onednn_open.restype = ctypes.c_char_p
        glue.hornbeam_onednn_implementation.restype = ctypes.c_char_p
        glue.hornbeam_onednn_pooling.restype = ctypes.c_char_p
        glue.hornbeam_onednn_product.restype = ctypes.c_char_p
        glue.hornbeam_onednn_recurrent.restype = ctypes.c_char_p
        glue.hornbeam_onednn_cached.restype = ctypes.c_int64
        problem = glue.hornbeam_onednn_open(os.fsencode(path))
        if problem is not None:
            raise OSError(problem.decode(errors="replace"))
        number = glue.hornbeam_onednn_version()
        self.path = path
        self.version = f"{number // 10000}.{number // 100 % 100}.{number % 100}"
        self.shares_threads = bool(glue.hornbeam_onednn_shares_threads())
        self.handlers = {kind: getattr(glue, f"hornbeam_conv_{kind}") for kind in KINDS}
        self.product, self.hold = glue.hornbeam_product, glue.hornbeam_hold
        self.moments, self.gradient_sums = glue.hornbeam_moments, glue.hornbeam_gradient_sums
        self.recurrent = {cell: getattr(glue, f"hornbeam_{cell}") for cell in CELLS}
        self.put_back = glue.hornbeam_pool_put_back

    def implementation(self, kind: str, dtype: str, x: _Numbers, w: _Numbers, y: _Numbers, geometry: _Numbers) -> str:
        """Name of the code oneDNN has for a convolution on this processor; empty if it has none.

        Some are done as products instead: those of one element, and what ``by_winograd`` says.

        Args:
            kind: one of ``KINDS``.
            dtype: "float32" or "bfloat16".
            x: shape of the input, (batch, *space, channels).
            w: shape of the kernel, (*window, channels of a group, filters).
            y: shape of the result.
            geometry: number of spatial axes, groups, then per axis strides, padding before, padding after, dilation.
        """
        arrays = [(ctypes.c_int64 * len(numbers))(*numbers) for numbers in (x, w, y, geometry)]
        found = self._glue.hornbeam_onednn_implementation(KINDS.index(kind), int(dtype == "bfloat16"), *arrays)
        return (found or b"").decode()

    def by_winograd(
        self, kind: str, dtype: str, threads: int, x: _Numbers, w: _Numbers, y: _Numbers, geometry: _Numbers
    ) -> bool:
        """Whether a convolution is done by Winograd's filtering on so many threads.

        Args:
            kind: one of ``KINDS``.
            dtype: "float32" or "bfloat16".
            threads: that share the work.
            x: shape of the input, as for ``implementation``.
            w: shape of the kernel.
            y: shape of the result.
            geometry: the window.
        """
        arrays = [(ctypes.c_int64 * len(numbers))(*numbers) for numbers in (x, w, y, geometry)]
        number = KINDS.index(kind)
        return bool(self._glue.hornbeam_onednn_winograd(number, int(dtype == "bfloat16"), threads, *arrays))

    def pooling(self, dtype: str, x: _Numbers, y: _Numbers, geometry: _Numbers) -> str:
        """Name of the code oneDNN runs for the gradient of a max-pooling; empty if it has none.

        Args:
            dtype: "float32" or "bfloat16".
            x: shape of the input, (batch, *space, channels).
            y: shape of the result.
            geometry: number of spatial axes, then per axis window, strides, padding before, padding after.
        """
        arrays = [(ctypes.c_int64 * len(numbers))(*numbers) for numbers in (x, y, geometry)]
        return (self._glue.hornbeam_onednn_pooling(int(dtype == "bfloat16"), *arrays) or b"").decode()

    def product_implementation(self, dtype: str, geometry: _Numbers) -> str:
        """Name of the code oneDNN runs for a matrix product on this processor; empty if it has none.

        Args:
            dtype: "float32" or "bfloat16".
            geometry: whether the operands are turned, rows, elements in a sum, columns.
        """
        numbers = (ctypes.c_int64 * len(geometry))(*geometry)
        return (self._glue.hornbeam_onednn_product(int(dtype == "bfloat16"), numbers) or b"").decode()

    def recurrent_implementation(self, cell: str, sizes: _Numbers) -> str:
        """Name of the code oneDNN runs for a recurrent layer at inference; empty if it has none.

        Args:
            cell: one of ``CELLS``.
            sizes: batch, steps, features, units.
        """
        numbers = (ctypes.c_int64 * len(sizes))(*sizes)
        return (self._glue.hornbeam_onednn_recurrent(CELLS.index(cell), numbers) or b"").decode()

    @property
    def cached(self) -> int:
        """Number of compiled operations that are kept."""
        return self._glue.hornbeam_onednn_cached()


def _places() -> Iterator[str]:
    given = os.environ.get(LIBRARY)
    if given:
        yield given
        return
    for name in _DISTRIBUTIONS:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        yield from (str(file.locate().resolve()) for file in files if file.name == _FILE)
    yield _FILE  # wherever the system keeps its libraries


@functools.cache
def load() -> Kernels:
    """Open oneDNN and the glue, once in a process.

    Raises:
        OSError: a library is missing or cannot be loaded; the text says which and why.
    """
    beside = Path(__file__).parent
    found = sorted(beside.glob("glue*.so"))
    if not found:
        raise OSError(f"the compiled glue is not in {beside}; install the package again where a C++ compiler is")
    glue = ctypes.CDLL(str(found[0]))
    problems = []
    for path in _places():
        try:
            return Kernels(glue, path)
        except OSError as error:
            problems.append(str(error))
    raise OSError("; ".join(problems))
