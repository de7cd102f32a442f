"""Sessions that are put into an object or a dictionary, by the name under which it has them.

``Context(db, 1)``, ``{"db": db}``, ``context["db"] = db`` and ``SimpleNamespace(db=db)``: whoever
takes ``context.db`` or ``context["db"]`` out again may have the session.
"""

from __future__ import annotations

import ast
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from awaken.contract import Place
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.made_classes import MADE_LIKE, made_fields
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of
from awaken.project.source.worklist import multimap
from awaken.project.values.domain import ClassOf, InstanceOf

_ANY = frozenset({"argparse.Namespace", "builtins.dict", "dict", "types.SimpleNamespace"})
"""What takes any keyword."""
_Way = ast.Assign | ast.Call | ast.ClassDef | ast.Dict
"""A display, a call with keywords, or what declares fields."""


class _Put(NamedTuple):
    """A place where a session is put into an object of ``kind``."""

    kind: str
    place: Place


class PutSessions:
    """Finds where a program puts sessions in.

    ``is_session`` tells of an expression whether it is one.
    """

    def __init__(
        self, evaluator: ProgramEvaluator, is_session: Callable[[Module, ast.expr], bool]
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session

    def put_where(self, module: Module, node: ast.expr) -> Place | None:
        """Return where a session is put in that ``node`` may take out; None if there is none."""
        name, owner = _taken_name(module, node)
        if not name:
            return None
        values = () if owner is None else self._evaluator.values(module, owner)
        kinds = {value.qualified for value in values if isinstance(value, InstanceOf)}
        result = self._put(name)
        # Other functions may be passed here as well: the known facts of the owner may be
        # incomplete.
        return next((one.place for one in [*(x for x in result if x.kind in kinds), *result]), None)

    @cached_items
    def _put(self, name: str) -> Iterator[_Put]:
        named = self._evaluator.files_with([name.encode()])
        paths = (path for path in named if self._may_put(path, name))
        for module in self._evaluator.modules_at(paths):
            for node in self._writers_by_name(module).get(name, ()):
                if isinstance(node, ast.Dict):
                    yield from self._in_display(module, node, name)
                elif isinstance(node, ast.Call):
                    yield from self._by_keyword(module, node, name)
                elif isinstance(node, ast.ClassDef | ast.Assign):
                    yield from self._as_item(module, node, name)
                    made, fields = self._fields(module, node)
                    if name in fields:
                        yield from self._given_sessions(made, fields.index(name))

    def _may_put(self, path: str, name: str) -> bool:
        """Whether a file may put something under ``name``."""
        known, wanted = self._hashes(path), hash(name)
        at = bisect_left(known, wanted)
        return at < len(known) and known[at] == wanted

    @cached_method
    def _hashes(self, path: str) -> array[int]:
        """Return the hashes of a file's names, for which its tree is needed once."""
        module = self._evaluator.load(path)
        return array(
            "q", sorted(map(hash, () if module is None else self._writers_by_name(module)))
        )

    def _writers_by_name(self, module: Module) -> dict[str, list[_Way]]:
        """Return what may put something under a name, by that name, in source order."""
        nodes = module.nodes_of(ast.Dict, ast.Call, ast.ClassDef, ast.Assign)
        pairs = (
            (x, node) for node in nodes for x in dict.fromkeys(self._names_under(module, node))
        )
        return module.memoize(PutSessions, lambda: multimap(pairs))

    def _names_under(self, module: Module, node: _Way) -> Iterator[str]:
        """Yield the names under which ``node`` may put something."""
        if isinstance(node, ast.Dict):
            constants = (part.value for part in node.keys if isinstance(part, ast.Constant))
            yield from (constant for constant in constants if isinstance(constant, str))
        elif isinstance(node, ast.Call):
            yield from (keyword.arg for keyword in node.keywords if keyword.arg is not None)
        else:
            yield from self._fields(module, node)[1]
            match node:
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as key))]):
                    yield key

    def _in_display(self, module: Module, node: ast.Dict, name: str) -> Iterator[_Put]:
        for key, value in zip(node.keys, node.values, strict=True):
            is_it = isinstance(key, ast.Constant) and key.value == name
            if is_it and self._is_session(module, value):
                yield _Put("builtins.dict", module.place(value))

    def _as_item(
        self, module: Module, node: ast.ClassDef | ast.Assign, name: str
    ) -> Iterator[_Put]:
        match node:
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value
            ) if key == name and self._is_session(module, value):
                yield _Put("builtins.dict", module.place(value))

    def _by_keyword(self, module: Module, call: ast.Call, name: str) -> Iterator[_Put]:
        given = keyword_of(call, name)
        if given is None or not self._keeps(module, call.func):
            return
        if self._is_session(module, given):
            yield self._container_of(module, call, given)

    def _fields(self, module: Module, node: ast.ClassDef | ast.Assign) -> tuple[str, list[str]]:
        """Return the name of a class that is declared with fields, and these in their order."""
        match node:
            case ast.ClassDef(name=made, body=body):
                targets = [part.target for part in body if isinstance(part, ast.AnnAssign)]
                return made, [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.Assign(targets=[ast.Name(id=made)], value=ast.Call() as call):
                # Hardly any call has some: what it calls is asked of these.
                if fields := [*(made_fields(call) or ())]:
                    name = self._evaluator.names.qualified_name(module, call.func)
                    return made, fields if name in MADE_LIKE else []
        return "", []

    def _given_sessions(self, made: str, position: int) -> Iterator[_Put]:
        """Yield the sessions that are the argument at ``position`` where objects are made."""
        files = self._evaluator.files_with([made.encode()])
        for module in self._evaluator.names.facts.mentioning(made, files):
            for node in module.mentions(made):
                call = module.call_of(node)
                if call is None:
                    continue
                for argument in call.args[position : position + 1]:
                    if self._is_session(module, argument):
                        yield self._container_of(module, call, argument)

    def _container_of(self, module: Module, call: ast.Call, given: ast.expr) -> _Put:
        kind = self._evaluator.names.qualified_name(module, call.func) or ""
        return _Put("builtins.dict" if kind == "dict" else kind, module.place(given))

    def _keeps(self, module: Module, function: ast.expr) -> bool:
        """Whether a call keeps what it is given by its keyword: it makes an object."""
        if self._evaluator.names.qualified_name(module, function) in _ANY:
            return True
        return any(isinstance(value, ClassOf) for value in self._evaluator.values(module, function))


def _taken_name(module: Module, node: ast.expr) -> tuple[str, ast.expr | None]:
    """Return the name by which ``node`` takes something out, and of what; empty if it does not."""
    if isinstance(node, ast.Name):
        given = [item.value for item in module.scopes.bindings_of(node) if item.value is not None]
        taken = (_taken_name(module, part) for part in given if not isinstance(part, ast.Name))
        return next((pair for pair in taken if pair[0]), ("", None))
    owner, name = module.scopes.attribute_read(node)
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str() as name)):
            return name, owner
        case ast.Call(
            func=ast.Attribute(value=owner, attr="get"),
            args=[ast.Constant(value=str() as name), *_],
        ):
            return name, owner
    return name, owner
