"""A function `f` of a program of a few lines, to be asked what it does."""

from __future__ import annotations

import ast
from textwrap import dedent

from programs import module_of, program

HEAD = """
    import asyncio, contextlib, json, logging, subprocess, time
    from dataclasses import dataclass, field
    import httpx, requests
    logger = logging.getLogger(__name__)
"""


def function(text, **files):
    """Return the project, its file and the function `f` in it; `HEAD` stands before `text`."""
    others = {f"{path}.py": dedent(body) for path, body in files.items()}
    project = program({"m.py": dedent(HEAD) + dedent(text), **others})
    module = module_of(project, "m.py")
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [one for one in module.walk() if isinstance(one, definitions) and one.name == "f"]
    return project, module, found[-1]
