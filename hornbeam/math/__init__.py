"""``tf.math``: arithmetic, reductions, special functions, segments."""

from hornbeam.math.counting import *  # noqa: F403
from hornbeam.math.counting import __all__ as _counting
from hornbeam.math.elementwise import *  # noqa: F403
from hornbeam.math.elementwise import __all__ as _elementwise
from hornbeam.math.reduce import *  # noqa: F403
from hornbeam.math.reduce import __all__ as _reduce
from hornbeam.math.special import *  # noqa: F403
from hornbeam.math.special import __all__ as _special

__all__ = [*_counting, *_elementwise, *_reduce, *_special]
