"""The YAML library that LibCST brings along: another build of it on some Pythons."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

# With Python 3.13 LibCST needs `pyyaml-ft`, which is imported by another name, and not `pyyaml`.
yaml: Any = importlib.import_module("yaml_ft" if find_spec("yaml_ft") else "yaml")
