"""Which files import which: by statements, and by texts that name a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.kit.search import modules_with
from awaken.project.source.modules import Module
from awaken.workspace.manifests.console_scripts import console_scripts

if TYPE_CHECKING:
    from awaken.project import Project

SCRIPTS = "/pyproject.toml"
"""What a rule declares in ``reads`` to have its console scripts found."""


def imported_at(project: Project, module: Module, node: ast.AST) -> Iterator[str]:
    """Yield the files of the program that a statement of ``module`` imports, or imports from."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        home = _home(module, node)
        names = [home, *(f"{home}.{alias.name}" for alias in node.names)]
    for name in names:
        result = project.layout.find(name, module.path)
        if result.path is not None:
            yield result.path


def _home(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = module.path.endswith("__init__.py")
    parts = module.name.split(".")
    kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*kept, *filter(None, [node.module])])


def is_imported(project: Project, module: Module) -> bool:
    """Whether a visible file imports a file, or may load it by a text that names it."""
    file = module.path.rpartition("/")[2]
    stem = module.name.rpartition(".")[2]
    texts = (f"{module.name}:", f"{module.name}.")
    for other in modules_with(project, (stem.encode(),)):
        for node in other.walk():
            match node:
                case ast.Import() | ast.ImportFrom():
                    if module.path in imported_at(project, other, node):
                        return True
                case ast.Constant(value=str() as text):
                    if text == module.name or text.startswith(texts) or text.endswith(file):
                        return True
    settings = project.texts(SCRIPTS).files.values()
    names = (name for setting in settings for name in console_scripts(setting.text.decode()))
    return any(name.startswith(texts) for name in names)
