"""Compiles the glue when a wheel is built; also by hand: `python build_glue.py FOLDER`."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object

HERE = Path(__file__).parent
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-pthread", "-w")


def compile_glue(folder: Path) -> Path:
    """Compile all sources into one shared library.

    Raises:
        RuntimeError: no compiler was found, or it failed.
    """
    import jax.ffi  # of the build environment

    named = os.environ.get("CXX", "")
    compiler = named or next(filter(shutil.which, ("c++", "g++", "clang++")), "")
    if not compiler or not shutil.which(compiler.split()[0]):
        found = f"; CXX names {named!r}, which is not there" if named else ""
        raise RuntimeError(f"a C++17 compiler is needed (g++ or clang++; another one can be named by CXX){found}")
    target = folder / "glue.so"
    sources = sorted(str(path) for path in (HERE / "src").glob("*.cpp"))
    command = [*compiler.split(), *FLAGS, "-I", jax.ffi.include_dir(), *sources, "-o", str(target), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return target


class Glue(BuildHookInterface):
    """Adds the compiled library to the wheel, which then is for this system and any Python 3."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by the builder before it packs the wheel."""
        if not sys.platform.startswith("linux"):
            raise RuntimeError("oneDNN's kernels are offered on Linux alone; Hornbeam works without this package")
        compile_glue(HERE / "hornbeam_onednn")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-linux_{platform.machine()}"
        build_data["force_include"][str(HERE / "hornbeam_onednn" / "glue.so")] = "hornbeam_onednn/glue.so"


if __name__ == "__main__":
    print(compile_glue(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "hornbeam_onednn"))
