"""Names that nothing binds: reading one raises NameError."""

from __future__ import annotations

import ast
import re

from awaken.project.source.modules import Module
from awaken.project.source.replacing import puts_in
from awaken.project.values.questions import Questions

_RUNS_TEXT = re.compile(rb"(?<![\w.])exec(?:file)?\(")
_BINDS = re.compile(rb"(?<![\w.])(?:globals|setattr|vars)\(|\b__dict__\b|\b__getattr__\b")
"""What code holds that binds a name that it computes."""


def is_unbound(evaluator: Questions, module: Module, node: ast.Name) -> bool:
    """Whether nothing in the program binds a name of a file; builtins are bound.

    False where callers are not followed, since other files may put it into the module.
    """
    paths = evaluator.files_naming(node.id)
    if paths is None or module.scopes.import_stars or not node.id.strip("_"):
        return False
    if node.id.startswith("__") or evaluator.names.qualified(module, node) is not None:
        return False
    if any(
        _RUNS_TEXT.search(evaluator.text(path)) for path in evaluator.files_naming("exec") or ()
    ):
        return False
    around = evaluator.files_naming(module.name.rpartition(".")[2]) or ()
    if any(_BINDS.search(evaluator.text(path)) for path in {module.path, *around}):
        return False
    files = (evaluator.load(path) for path in paths)
    return not any(file is not None and node.id in puts_in(file) for file in files)
