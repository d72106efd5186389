"""`python tools/bench`: make `bench` importable, settle on one thread, and only then load anything big."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import environment  # noqa: E402  (needs the path above)

if __name__ == "__main__":
    environment.settle()

    from bench.cli import main  # this loads NumPy, which must see the settled environment

    sys.exit(main())
