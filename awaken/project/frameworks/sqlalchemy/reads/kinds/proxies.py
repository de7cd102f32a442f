"""The places that read a relationship through an association proxy of its class."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from awaken.project.frameworks.sqlalchemy.models import ModelFacts
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Sight
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf, Unknown, Values

_WORD = b"association_proxy"
_Path = tuple[str, ...]


class ProxySights(ModelFacts):
    """``titles = association_proxy("posts", "title")``: ``user.titles`` reads ``posts``.

    Then it reads ``title`` of each of them, which may be a relationship as well.
    """

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read such a proxy, file by file."""
        proxies = self._proxies(names)
        words = sorted({name.encode() for _, name in proxies})
        for module, node in nodes_in(self._evaluator.modules_with(words), ast.Attribute):
            yield from self._sights(module, node, proxies)

    def _sights(
        self, module: Module, node: ast.Attribute, proxies: dict[tuple[str, str], _Path]
    ) -> Iterator[Sight]:
        if isinstance(node.ctx, ast.Del) or not any(name == node.attr for _, name in proxies):
            return
        paths: dict[_Path, None] = {}
        for value in self._evaluator.values(module, node.value):
            match value:
                case InstanceOf():
                    above = self._models.ancestor_names(value.qualified)
                    paths |= {
                        path: None
                        for (owner, name), path in proxies.items()
                        if name == node.attr and owner in above
                    }
                case Unknown():
                    paths |= {
                        path: None for (_, name), path in proxies.items() if name == node.attr
                    }
        for path in paths:
            yield Sight(module, node.value, path, module.place(node), "proxy", of_items=True)

    def names(self, names: Collection[str]) -> frozenset[str]:
        """Return the names of the proxies of these relationships."""
        return frozenset(name for _, name in self._proxies(names))

    def proxied_by(self, qualified: str, name: str) -> frozenset[str]:
        """Return the relationships that a class reads first where its proxy ``name`` is read."""
        proxies = [(owner, path) for (owner, proxy), path in self._all if proxy == name]
        above = self._models.ancestor_names(qualified) if proxies else ()
        return frozenset(path[0] for owner, path in proxies if owner in above)

    def relationships_before(self, names: Collection[str]) -> frozenset[str]:
        """Return the relationships that proxies read to come to one of these."""
        return frozenset(read[0] for _, read in self._all if not {*read[1:]}.isdisjoint(names))

    def relationships_behind(
        self, attribute: str, values: Values, names: Collection[str]
    ) -> Iterator[tuple[str, Values]]:
        """Yield the relationships, with their objects, where ``attribute`` is a proxy of these.

        Such as a schema with a field of that name.
        """
        for (owner, name), path in self._proxies(names).items():
            known = tuple(
                value
                for value in values
                if name == attribute
                and isinstance(value, InstanceOf)
                and owner in self._models.ancestor_names(value.qualified)
            )
            if known:
                yield path[0], known

    def _proxies(self, names: Collection[str]) -> dict[tuple[str, str], _Path]:
        """Return what each proxy of some relationships reads, by its class and its name."""
        return {key: read for key, read in self._all if read[0] in names}

    @cached_property
    def _all(self) -> tuple[tuple[tuple[str, str], _Path], ...]:
        """All proxies of the program."""
        result: list[tuple[tuple[str, str], _Path]] = []
        for module, node in nodes_in(self._evaluator.modules_with([_WORD]), ast.ClassDef):
            owner = module.full_name(node)
            result += [((owner, name), read) for name, read in _declared_proxies(module, node)]
        return tuple(result)


def _declared_proxies(module: Module, node: ast.ClassDef) -> Iterator[tuple[str, _Path]]:
    """Yield the proxies of a class body with what they read."""
    for name, bindings in module.scopes.scope_made_by(node).bindings.items():
        for binding in bindings:
            call = binding.value
            if not isinstance(call, ast.Call) or last_name(call.func) != _WORD.decode():
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            order = ("target_collection", "attr")
            texts = [
                *call.args[:2],
                *(given[word] for word in order[len(call.args) :] if word in given),
            ]
            read = tuple(
                text.value
                for text in texts
                if isinstance(text, ast.Constant) and isinstance(text.value, str)
            )
            if read:
                yield name, read
