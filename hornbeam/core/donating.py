"""Compiled functions that give the memory of variables to their new values, safely.

What is given away is lost if the call is cut short. So launch and commit are one C call, into which no signal handler
comes, and functions that still go through Python code of JAX get copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import jax

from hornbeam.core.conversion import copy_array
from hornbeam.core.variable import Variable, commit_all, read_all, reclaim


class Donating:
    """A compiled function that takes the place of what it is given first.

    Args:
        function: ``function(state, *rest)``, pure; gives new arrays of variables, then its outputs, in one flat list.
        options: compiler options of XLA, or None.
    """

    __slots__ = ("_is_compiled", "function")

    def __init__(self, function: Callable[..., list], options: dict[str, str] | None = None) -> None:
        self.function: Any = jax.jit(function, donate_argnums=0, compiler_options=options)
        self._is_compiled = False

    def __call__(
        self,
        state: Sequence[Variable],
        rest: Sequence[Any],
        writes: Sequence[Variable],
        keep: Callable[[Iterable[Any]], Any] | None = None,
        then: Iterable[Any] = (),
        settled: Callable[[list], None] | None = None,
    ) -> None:
        """Run and set the variables, with ``commit_lock`` held.

        Args:
            state: variables whose arrays are donated; others may hold them, then they are copied first.
            rest: further arguments of the function.
            writes: variables that take the first results.
            keep: takes the other results.
            then: an iterator to run through in the same act.
            settled: is given all results before the variables take them, and may raise.
        """
        reclaim(state)
        arrays = read_all(state)
        if not self._is_compiled:
            arrays = [copy_array(array) for array in arrays]
        results: Any = chain.from_iterable(map(self.function, (arrays,), *((argument,) for argument in rest)))
        try:
            if settled is not None:
                made = list(results)
                settled(made)
                results = iter(made)
            commit_all(writes, results, () if keep is None else map(keep, (results,)), then)
        except BaseException:
            if not self._is_compiled:
                # JAX would call a function whose first call was cut short through Python for ever.
                self.function.clear_cache()
            raise
        self._is_compiled = True
