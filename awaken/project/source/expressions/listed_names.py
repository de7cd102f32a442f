"""Builtins that see all names of a scope at once, as ``locals()`` and ``eval`` do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.library_names import library_names
from awaken.project.source.bindings import Scope
from awaken.project.source.modules import Module

_OF_OBJECTS = {"dir", "vars"}
"""With an argument, these see the names of an object alone."""


def readers_of_names(module: Module, scope: Scope) -> Iterator[ast.Name]:
    """Yield the reads of such builtins in ``scope`` and below, by scope and by name.

    ``globals()`` sees no variables of a function. Functions below see those that they read.
    """
    scopes = module.scopes
    names = library_names().listing_names - ({"globals"} if scope is not scopes.module else set())
    for below in scopes.scopes_inside(scope):
        for name in sorted(names & below.reads.keys()):
            for read in below.reads[name]:
                call = module.call_of(read)
                is_of_object = name in _OF_OBJECTS and call is not None and call.args
                if not is_of_object and not scopes.is_bound(name, read):
                    yield read
