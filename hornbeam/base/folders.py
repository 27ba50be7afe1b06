"""Folders of this user on this system."""

from __future__ import annotations

import os
import sys


def cache_folder() -> str:
    """Hornbeam's folder among the user's caches, by the custom of the operating system; not created here."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "hornbeam")
