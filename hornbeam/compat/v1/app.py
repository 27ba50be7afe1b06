"""``tf.compat.v1.app`` and ``flags``: arguments of a program, as TensorFlow 1 read them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any


class _Flags:
    """Flags and their values; the command line is read when a value is first asked for."""

    def __init__(self) -> None:
        self.__dict__["_parser"] = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        self.__dict__["_values"] = None
        self.__dict__["_truths"] = set()

    def _read(self, words: Sequence[str] | None = None) -> list[str]:
        given = [self._with_value(word) for word in (sys.argv[1:] if words is None else words)]
        values, rest = self._parser.parse_known_args(given)
        self.__dict__["_values"] = values
        return rest

    def _with_value(self, word: str) -> str:
        """`--fast` and `--nofast` as `--fast=true` and `--fast=false`."""
        name = word.lstrip("-")
        if word.startswith("-") and name in self._truths:
            return f"--{name}=true"
        if word.startswith("-") and name.startswith("no") and name[2:] in self._truths:
            return f"--{name[2:]}=false"
        return word

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._values is None:
            self._read()
        return getattr(self._values, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._values is None:
            self._read()
        setattr(self._values, name, value)

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        return [*argv[:1], *self._read(argv[1:])]


FLAGS = _Flags()


def _truth(text: str) -> bool:
    return str(text).lower() in ("1", "true", "t", "yes", "y")


def _definition(kind: Callable[[str], Any]) -> Callable[..., None]:
    def define(name: str, default: Any, help: str | None = None, **options: Any) -> None:
        if kind is _truth:
            FLAGS._truths.add(name)
        FLAGS._parser.add_argument(f"--{name}", default=default, type=kind, help=help)
        FLAGS.__dict__["_values"] = None

    define.__doc__ = "Define a flag by its name, default and description."
    return define


class flags:
    """Definitions of flags, and ``FLAGS`` with their values."""

    FLAGS = FLAGS
    DEFINE_string = staticmethod(_definition(str))
    DEFINE_integer = staticmethod(_definition(int))
    DEFINE_float = staticmethod(_definition(float))
    DEFINE_bool = staticmethod(_definition(_truth))
    DEFINE_boolean = staticmethod(_definition(_truth))


def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> None:
    """Read the flags, call ``main`` with the remaining arguments, and end the program."""
    words = list(sys.argv if argv is None else argv)
    rest = FLAGS(words)
    called = main or sys.modules["__main__"].main  # type: ignore[attr-defined]
    sys.exit(called(rest))
