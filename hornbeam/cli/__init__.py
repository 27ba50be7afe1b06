"""The ``hornbeam`` command: a table of subcommands, each in its own module and imported only when it is asked for.

A subcommand module has a function ``main(words) -> int``, which parses the words after its name. Exit statuses are the
same everywhere: 0 all well, 1 something was found to be wrong, 2 wrong usage (``run`` keeps the status of the program).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from hornbeam.version import KERAS_VERSION, VERSION, __version__

__all__ = ["COMMANDS", "main"]

COMMANDS: dict[str, tuple[str, str]] = {
    "quickstart": ("hornbeam.cli.quickstart", "train a small network on handwritten digits"),
    "run": ("hornbeam.cli.run", "run a TensorFlow or Keras program on Hornbeam"),
    "inspect": ("hornbeam.cli.inspect", "show what is in a model file, without loading it"),
    "verify": ("hornbeam.cli.verify", "check that a model file is whole"),
    "convert": ("hornbeam.cli.convert", "write a model or weights file in another format"),
    "doctor": ("hornbeam.cli.doctor", "show versions, devices and extras, and check that they work"),
}
"""Name of each subcommand, the module it lives in, and its line in the help."""


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="hornbeam",
        usage="hornbeam [--help] [--version] COMMAND ...",
        description="Keras and tf.keras on JAX.",
        epilog=f"commands:\n{listing}\n\n`hornbeam COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"hornbeam {__version__} (follows TensorFlow {VERSION} and Keras {KERAS_VERSION})",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    Args:
        argv: the words after ``hornbeam``; ``None`` takes them from ``sys.argv``.

    Raises:
        SystemExit: help or version was asked for, the usage was wrong, or a script under ``run`` ended itself.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    overview = _overview()
    # Only the words before the command are ours: those after it belong to the command, or to the script it runs.
    if not words or words[0] not in COMMANDS:
        if words and not words[0].startswith("-"):
            overview.error(f"there is no command {words[0]!r}; there are: {', '.join(COMMANDS)}")
        overview.parse_args(words)
        overview.print_help()
        return 2
    name, *rest = words
    command = importlib.import_module(COMMANDS[name][0])
    if name == "run":
        return command.main(rest)
    try:
        status = command.main(rest)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. What is left to write goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
