"""``hornbeam run``: a program written for TensorFlow or Keras, run as ``python`` would run it, with our import names.

The program must not notice the runner. So it becomes the real ``__main__`` module, ``sys.argv`` and ``sys.path[0]`` are
what ``python`` would set, its exit status is ours, and a traceback begins in its first line.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

from hornbeam.base.folders import cache_folder
from hornbeam.compat.install import install

SCRIPT_VARIABLE = "HORNBEAM_SCRIPT"
"""Environment variable that tells worker processes which program they belong to."""

USAGE = """\
usage: hornbeam run SCRIPT [ARGS ...]
       hornbeam run -m MODULE [ARGS ...]
       hornbeam run -c CODE [ARGS ...]
"""
HELP = """
Run a TensorFlow or Keras program on Hornbeam.

  SCRIPT     a Python file, or a folder or zip file with __main__.py in it
  -m MODULE  a module by its name, as with `python -m`
  -c CODE    the program itself, as with `python -c`
  ARGS       passed on to the program untouched

In the program, `tensorflow`, `keras` and `tf_keras` mean Hornbeam. Compiled programs are kept in the user's cache
folder; set JAX_COMPILATION_CACHE_DIR to move them, JAX_ENABLE_COMPILATION_CACHE=0 to keep none.
"""


def main(words: list[str]) -> int:
    """Run the program and return its exit status; a ``SystemExit`` of the program passes through."""
    # Not argparse: every word after the program is the program's own, `--` and `--help` included.
    if words[:1] in (["-h"], ["--help"]):
        print(USAGE + HELP, end="")
        return 0
    option = words[0] if words and words[0] in _PREPARE else "SCRIPT"
    program = words if option == "SCRIPT" else words[1:]
    if not program or (option == "SCRIPT" and program[0].startswith("-")):
        problem = f"there is no option {program[0]!r}" if program else "nothing to run"
        print(f"{USAGE}hornbeam run: error: {problem}", file=sys.stderr)
        return 2
    keep_compiled_programs()
    install()
    try:
        module, code = _PREPARE[option](program[0], program[1:])
        # It stays there afterwards: exit handlers and threads of the program still need their globals.
        sys.modules["__main__"] = module
        exec(code, module.__dict__)
    except _NothingToRun as problem:
        print(f"hornbeam run: {problem}", file=sys.stderr)
        return 2
    except SystemExit:
        raise
    except BaseException as error:
        return _report(error)
    return 0


def define_again(namespace: dict[str, Any]) -> None:
    """In a worker process: give the namespace what the program defines, under the same import names."""
    install()
    script = os.environ[SCRIPT_VARIABLE]
    namespace["__file__"] = script
    exec(compile(Path(script).read_bytes(), script, "exec", dont_inherit=True), namespace)


def keep_compiled_programs() -> None:
    """Switch JAX's cache of compiled programs on, by the environment, so that child processes have it too.

    Whatever the user has set stays. Must come before JAX is imported, which reads these variables once.
    """
    defaults = {
        "JAX_COMPILATION_CACHE_DIR": os.path.join(cache_folder(), "xla"),
        # Eager operations are many small programs, each compiled in milliseconds: together they are most of a start.
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


class _NothingToRun(Exception):
    """The program cannot be found; the text says which."""


def _from_file(script: str, args: list[str]) -> tuple[types.ModuleType, types.CodeType]:
    sys.argv[:] = [script, *args]
    if os.path.isdir(script) or zipfile.is_zipfile(script):
        _set_first_path(os.path.realpath(script))
        spec = importlib.machinery.PathFinder.find_spec("__main__", [script])
        if spec is None:
            raise _NothingToRun(f"can't find a '__main__' module in {script!r}")
        return _module_and_code(spec)
    try:
        source = Path(script).read_bytes()
    except OSError as error:
        raise _NothingToRun(f"can't open file {script!r}: {error.strerror}") from error
    # As `python` does: the folder of the file that a link points to.
    _set_first_path(os.path.dirname(os.path.realpath(script)))
    main = types.ModuleType("__main__")
    # `multiprocessing` imports the main module again in each process it spawns, by this name: `hornbeam/__main__.py`,
    # which comes back here. By the file, it would go straight to `import tensorflow` in a process without our names.
    main.__spec__ = importlib.machinery.ModuleSpec("hornbeam", None, origin=script)
    os.environ[SCRIPT_VARIABLE] = os.path.abspath(script)
    main.__file__ = script
    main.__dict__.update(__builtins__=__builtins__, __cached__=None)
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", script)
    return main, compile(source, script, "exec", dont_inherit=True)


def _from_text(code: str, args: list[str]) -> tuple[types.ModuleType, types.CodeType]:
    sys.argv[:] = ["-c", *args]
    _set_first_path("")
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=__builtins__)
    return main, compile(code, "<string>", "exec", dont_inherit=True)


def _from_module(name: str, args: list[str]) -> tuple[types.ModuleType, types.CodeType]:
    sys.argv[:] = ["-m", *args]  # seen by packages that are imported on the way, as under `python -m`
    _set_first_path(os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.__main__".startswith(error.name):
            raise
        raise _NothingToRun(f"no module named {error.name!r}") from error
    if spec is None:
        raise _NothingToRun(f"no module named {name!r}, or a package without '__main__'")
    main, code = _module_and_code(spec)
    sys.argv[0] = spec.origin or name
    return main, code


def _module_and_code(spec: importlib.machinery.ModuleSpec) -> tuple[types.ModuleType, types.CodeType]:
    code = getattr(spec.loader, "get_code", lambda _: None)(spec.name)
    if code is None:
        raise _NothingToRun(f"{spec.name!r} has no Python code to run")
    main = types.ModuleType("__main__")
    main.__file__ = spec.origin
    main.__loader__ = spec.loader
    main.__package__ = spec.parent
    main.__spec__ = spec  # worker processes find the program again by it
    main.__dict__.update(__builtins__=__builtins__, __cached__=spec.cached)
    return main, code


def _set_first_path(folder: str) -> None:
    """Put the program's folder where `python` would: over the entry made for the `hornbeam` command itself."""
    if sys.flags.safe_path:
        sys.path.insert(0, folder)  # with -P there is no such entry
    else:
        sys.path[0] = folder


def _report(error: BaseException) -> int:
    """Show an uncaught error as `python` does, from the program's first frame on; return the exit status."""
    _add_advice(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] in (
        "hornbeam",
        "importlib",
    ):
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    # 128 + SIGINT, what a shell reports for an interrupted program.
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def _add_advice(error: BaseException) -> None:
    """Say below `cannot import name` what the module itself says about the name, which Python leaves out."""
    found = re.match(r"cannot import name '(\w+)'", str(error)) if isinstance(error, ImportError) else None
    module = sys.modules.get(getattr(error, "name", None) or "")
    if found is None or module is None or module.__name__.partition(".")[0] != "hornbeam":
        return
    try:
        getattr(module, found[1])
    except AttributeError as reason:
        error.add_note(str(reason))


_PREPARE = {"SCRIPT": _from_file, "-m": _from_module, "-c": _from_text}
