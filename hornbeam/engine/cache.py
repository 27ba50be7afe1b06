"""The persistent compilation cache: the second process need not compile again."""

from __future__ import annotations

import os

import jax

from hornbeam.base.folders import cache_folder

_state = {"done": False}


def enable() -> None:
    """Switch JAX's compilation cache on, once, unless the user has set one or forbids it.

    ``HORNBEAM_CACHE=0`` forbids it, ``HORNBEAM_CACHE=FOLDER`` chooses the folder;
    the default is ``xla`` in Hornbeam's cache folder.
    """
    if _state["done"]:
        return
    _state["done"] = True
    choice = os.environ.get("HORNBEAM_CACHE", "")
    if choice == "0" or getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    folder = choice or os.path.join(cache_folder(), "xla")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        # A read-only home: compile anew each time.
        return
    jax.config.update("jax_compilation_cache_dir", folder)
    # Tiny programs compile faster than a file is read; only what takes noticeable time is kept.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
