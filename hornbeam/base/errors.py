"""The errors of Hornbeam.

    HornbeamError
      ShapeError(ValueError)           a shape does not fit
      BuildError(ValueError)           a layer or model cannot be built, or is used before it is
      StateError(RuntimeError)         variables used in a way that would lose or leak state
        TracedInitialValueError        a variable made from a traced value
      TapeError(RuntimeError)          a gradient was asked for that the tape cannot give
      TraceError(TypeError)            a traced value was used where Python needs a number
      SymbolicError(ValueError)        a symbolic tensor was given to code that needs an array
      NotSupportedError(NotImplementedError, ValueError)   known to Keras, not offered here; says what to do instead
      ArgumentError(TypeError, ValueError)   a keyword argument that nobody takes
      DataError(ValueError)            input data that cannot be trained or predicted on
      WorkerError(RuntimeError)        a data worker failed or died
      NumericsError(RuntimeError)      NaN or Inf where none may be
      ResumeError(RuntimeError)        a training run cannot be resumed
      FileFormatError(ValueError)      a model file that cannot be taken
        CorruptFileError               damaged, cut short, or not what its name says
        UnsafeFileError                asks for something that safe mode refuses
        UnsupportedFileError           a format or feature that is not read

Own classes exist only where a caller would catch them; each is also the built-in
class that Keras documents for the case, so existing ``except`` clauses keep working.
"""

from __future__ import annotations


class HornbeamError(Exception):
    """Base of all errors that Hornbeam itself defines."""


class ShapeError(HornbeamError, ValueError):
    """A shape does not fit what a layer or function was built for."""


class BuildError(HornbeamError, ValueError):
    """A layer or model cannot be built, or is used before it was."""


class StateError(HornbeamError, RuntimeError):
    """Variables were used in a way that would lose or leak state."""


class TracedInitialValueError(StateError):
    """A variable was made from a value that is only known inside a compiled function."""


class TapeError(HornbeamError, RuntimeError):
    """A gradient was asked for that the tape cannot give."""


class TraceError(HornbeamError, TypeError):
    """A traced value was used where Python needs a concrete one."""


class SymbolicError(HornbeamError, ValueError):
    """A symbolic tensor, which has no value, was given to code that needs an array."""


class NotSupportedError(HornbeamError, NotImplementedError, ValueError):
    """Known to Keras, but not offered here; the message says what to do instead."""


class ArgumentError(HornbeamError, TypeError, ValueError):
    """A keyword argument that nobody takes (some callers expect TypeError, some ValueError)."""


class DataError(HornbeamError, ValueError):
    """Input data that cannot be trained or predicted on."""


class WorkerError(HornbeamError, RuntimeError):
    """A data worker failed or died."""


class NumericsError(HornbeamError, RuntimeError):
    """NaN or Inf appeared where none may be."""


class ResumeError(HornbeamError, RuntimeError):
    """A training run cannot be resumed from the backup at hand."""


class FileFormatError(HornbeamError, ValueError):
    """A file that cannot be taken as a model or as weights."""


class CorruptFileError(FileFormatError):
    """The file is damaged, cut short, or not what its name says."""


class UnsafeFileError(FileFormatError):
    """The file asks for something that safe mode refuses."""


class UnsupportedFileError(FileFormatError):
    """The file is of a format, or uses a feature, that is not read."""


def explain(where: str, *, expected: object = None, received: object = None, fix: str | None = None) -> str:
    """Compose an error text of the four usual parts: where, expected, received, what to do."""
    lines = [where]
    if expected is not None:
        lines.append(f"  expected: {expected}")
    if received is not None:
        lines.append(f"  received: {received}")
    if fix is not None:
        lines.append(f"  fix:      {fix}")
    return "\n".join(lines)
