"""Tables of old arguments: which class or function took them, and what they are called today."""

from hornbeam.compat.spellings import functions, layers, training
from hornbeam.compat.spellings.functions import FUNCTIONS
from hornbeam.compat.spellings.table import Translator

CONSTRUCTORS = layers.CONSTRUCTORS | training.CONSTRUCTORS
METHODS = training.METHODS | functions.CLASSES

__all__ = ["CONSTRUCTORS", "FUNCTIONS", "METHODS", "Translator"]
