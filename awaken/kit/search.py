"""Searching a program: files by words, by what they import, and calls by what they call."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from awaken.kit.rule import Rule
from awaken.kit.sites import Site
from awaken.knowledge import knowledge
from awaken.project.graph.callers import Obstacle
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, keyword_of, last_name
from awaken.project.source.worklist import groups_of
from awaken.workspace.manifests.describing import console_scripts

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project

Node = TypeVar("Node", bound=ast.AST)
SCRIPTS = "pyproject.toml"
"""What a rule declares in ``reads`` to have its console scripts found."""


def _nowhere(path: str) -> bool:
    del path
    return False


def site_modules(
    project: Project,
    triggers: Sequence[bytes],
    unless: Callable[[str], bool] = _nowhere,
    calling: Collection[str] = (),
) -> Iterator[Module]:
    """Yield the files in which sites are looked for and that hold one of ``triggers``.

    Files of whose path ``unless`` is true are not even parsed, nor are those that call nothing of
    a name in ``calling``, where there are names.
    """
    paths: Iterable[str] = project.site_files(triggers)
    if calling and paths:
        may_call = project.files_calling(calling)
        paths = [path for path in paths if path in may_call]
    return _modules_at(project, paths, unless)


def modules_with(
    project: Project, words: Sequence[bytes], unless: Callable[[str], bool] = _nowhere
) -> Iterator[Module]:
    """Yield all files of the program that hold one of ``words``, to learn about a site.

    Files of whose path ``unless`` is true are not even parsed.
    """
    return _modules_at(project, project.files_with(words), unless)


def nodes_with(
    project: Project,
    words: Sequence[bytes],
    kind: type[Node] | tuple[type[Node], ...],
    unless: Callable[[str], bool] = _nowhere,
    *,
    revisions: bool = True,
) -> Iterator[tuple[Module, Node]]:
    """Yield the nodes of some kinds in the files that ``modules_with`` gives, each with its file.

    Those of any kind for ``ast.AST``. Without ``revisions``, none of the files of Alembic.
    """
    modules = modules_with(project, words, unless)
    return nodes_in((each for each in modules if revisions or not is_of_alembic(each)), kind)


def _modules_at(
    project: Project, paths: Iterable[str], unless: Callable[[str], bool]
) -> Iterator[Module]:
    return project.modules_at(path for path in paths if not unless(path))


class Rewritten:
    """The ``places`` that changes of a run wrote, to plan again what they may have changed."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_file = groups_of(places, attrgetter("path"))

    def may_be_around(self, module: Module, node: ast.AST) -> bool:
        """Whether one is in the function around ``node``; True outside, and in other files."""
        function = module.outermost_def(node)
        if function is None or module.path not in self._by_file:
            return True
        around = module.span(function)
        spans = [place.span for place in self._by_file[module.path]]
        return any(span.start <= around.end and around.start <= span.end for span in spans)


def calls_of(project: Project, rule: Rule, names: Collection[str]) -> Iterator[Site[ast.Call]]:
    """Yield the calls of functions or classes by their qualified names, whatever files call them.

    ``asyncio.sleep`` is called by ``sleep(1)`` below ``from asyncio import sleep``, too. Those that
    are decided are left out.
    """
    knowledge().require_canonical(f"the rule {rule.name}", names)
    # Resolving the names of all calls takes most of the time of a rule.
    spellings = project.spellings_of(names)
    for module in site_modules(project, rule.triggers):
        spelled = project.names_in(module.path, spellings)
        for node in module.nodes(ast.Call):
            if (
                last_name(node.func) in spelled
                and not project.is_decided(module, node)
                and project.qualified_name(module, node.func) in names
            ):
                yield Site(rule.name, module, node)


def refers_to(project: Project, module: Module, node: ast.expr, names: Collection[str]) -> bool:
    """Whether the qualified name of ``node`` is one of ``names``, whatever its file calls them."""
    words = {name.rpartition(".")[2] for name in names}
    # Most nodes are called by another name, so these are not resolved.
    return (
        last_name(node) in project.names_in(module.path, words)
        and project.qualified_name(module, node) in names
    )


def uses_of(
    project: Project, names: Collection[str], unless: Callable[[str], bool] = _nowhere
) -> Iterator[tuple[Module, ast.Name | ast.Attribute]]:
    """Yield what reads something by its qualified name, over all files; imports are no reads.

    ``names`` are those of a library, or of classes, functions and variables of the program. Files
    of whose path ``unless`` is true are not even parsed.
    """
    knowledge().require_canonical("a search", names)
    spellings = project.spellings_of(names)
    for module in modules_with(project, [name.encode() for name in spellings], unless):
        for node in mentions_in(project, module, spellings):
            match node:
                case ast.Name() | ast.Attribute():
                    if project.qualified_name(module, node) in names:
                        yield module, node


def mentions_in(project: Project, module: Module, words: Collection[str]) -> Iterator[ast.AST]:
    """Yield what mentions one of ``words`` in a file, or a name that a scope of it gives one."""
    spelled = project.names_in(module.path, words)
    return (node for word in sorted(spelled) for node in module.mentions(word))


def callers_of(
    project: Project, rule: Rule, module: Module, function: Function
) -> tuple[list[Site[ast.Call]], tuple[Obstacle, ...]]:
    """Return the calls of ``function`` over all files as sites, and what may hide more of them.

    Without an obstacle they are all calls that there are.
    """
    callers = project.calls.callers_of(module, function)
    calls = (call for site in callers.sites for call in project.calls_at(site.place)[:1])
    return [Site(rule.name, home, call) for home, call in calls], callers.obstacles


def argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    """Return what ``call`` passes to a parameter, by position or by keyword.

    None if it passes nothing, and where ``*args`` comes before it.
    """
    named = keyword_of(call, keyword)
    before = call.args[: position + 1]
    if named is not None or len(before) <= position:
        return named
    return None if any(isinstance(node, ast.Starred) for node in before) else before[position]


def importers(project: Project, module: Module) -> Iterator[tuple[Module, ast.AST]]:
    """Yield what imports a file, or may load it by a text that names it, each with its file."""
    file = module.path.rpartition("/")[2]
    stem = module.name.rpartition(".")[2]
    texts = (f"{module.name}:", f"{module.name}.")
    kinds = (ast.Import, ast.ImportFrom, ast.Constant)
    for other, node in nodes_in(modules_with(project, (stem.encode(),)), kinds):
        match node:
            case ast.Import() | ast.ImportFrom():
                if module.path in project.web.imports.files_imported(other, node):
                    yield other, node
            case ast.Constant(value=str() as text):
                if text == module.name or text.startswith(texts) or text.endswith(file):
                    yield other, node


def imported_as(project: Project, module: Module, here: Module) -> str:
    """Return the name by which ``here`` can import a file: as it does, or as others do.

    A folder without ``__init__.py`` above the file is a part of that name, or is on the path.
    """
    users = [(other, node) for other, node in importers(project, module)]
    users.sort(key=lambda user: (user[0] is not here, is_around_tests(user[0].path)))
    for other, node in users:
        aliases: list[ast.alias] = getattr(node, "names", [])
        names = [alias.name for alias in aliases]
        if isinstance(node, ast.ImportFrom):
            home = "" if node.level else node.module or ""
            names = [home, *(f"{home}.{name}" for name in names)] if home else []
        for name in names:
            if project.layout.find(name, other.path).path == module.path:
                return name
    return module.name


def is_imported(project: Project, module: Module) -> bool:
    """Whether a visible file imports a file, or may load it by a text that names it."""
    return any(importers(project, module)) or is_command(project, module)


def is_command(project: Project, module: Module) -> bool:
    """Whether the settings of a program name a function of a file as a command."""
    texts = (f"{module.name}:", f"{module.name}.")
    return any(name.startswith(texts) for name in command_names(project))


def command_names(project: Project) -> list[str]:
    """Return the names of the functions that the build settings make commands of.

    Those of a member name its modules as they are called in its own folder.
    """
    result: list[str] = []
    for path, settings in project.texts(SCRIPTS).files.items():
        for name in console_scripts(settings.text.decode()):
            home, rest = project.layout.file_and_rest(name, path)
            result.append(name if home is None else ".".join([project.layout.name_of(home), *rest]))
    return result
