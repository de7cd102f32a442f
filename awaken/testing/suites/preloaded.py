"""The libraries of applications, which the process that suites are forked from imports once.

Nothing else imports this module: it takes a second.
"""

from __future__ import annotations

import importlib
import warnings

with warnings.catch_warnings():
    # An application's own tests report its deprecated calls.
    warnings.simplefilter("ignore")
    for _name in (
        "_pytest.assertion.rewrite",
        "aiosqlite",
        "awaken.testing.suites.pytest_runs",
        "fastapi.testclient",
        "sqlalchemy.ext.asyncio",
    ):
        importlib.import_module(_name)
