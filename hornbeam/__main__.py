"""``python -m hornbeam`` is the ``hornbeam`` command; worker processes of a program it runs begin here too."""

import sys

from hornbeam.cli import main, run

if __name__ == "__main__":
    sys.exit(main())
elif __name__ == "__mp_main__":
    # `multiprocessing` gives the main module this name in a process it spawned.
    run.define_again(globals())
