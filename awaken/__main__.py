"""``python -m awaken``.

``-m`` looks for modules in the current directory first, and that may be a repository which nobody
trusts. So that directory goes before anything is imported from it. What Python itself imports
before, and a package named ``awaken`` that lies there, are out of reach: ``python -P`` has no such
gap, nor has the command ``awaken``.
"""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109  pathlib is not in yet
    del sys.path[0]

from awaken.cli import main

sys.exit(main())
