"""``python -m awaken``."""

import sys

from awaken.cli import main

sys.exit(main())
