"""``python -m awaken``.

``-m`` looks for modules in the current directory first, and that may be a repository which nobody
trusts. So that directory goes before anything is imported from it. This cannot cover modules that
Python itself imports earlier, nor a package named ``awaken`` in the current directory. ``python
-P`` and the command ``awaken`` have no such gap.
"""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109  pathlib is not in yet
    del sys.path[0]

from awaken.cli import main

sys.exit(main())
