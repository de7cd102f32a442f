"""The calls and attributes at the places of loads and reads."""

from __future__ import annotations

import ast

from awaken.contract import Place
from awaken.project.source.modules import Module


def call_or_attribute_at(module: Module, place: Place) -> ast.Call | ast.Attribute | None:
    """Return the call, or else the attribute that is read, that takes exactly a place."""
    call = next(iter(module.calls_at(place.span)), None)
    return attribute_at(module, place) if call is None else call


def attribute_at(module: Module, place: Place) -> ast.Attribute | None:
    """Return the attribute that is read at exactly a place."""
    nodes = module.expressions_at({place.span})
    return next((node for node in nodes if isinstance(node, ast.Attribute)), None)
