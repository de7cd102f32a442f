"""Writers and readers of attributes that hold functions."""

from __future__ import annotations

import ast

from awaken.project.graph.forwards.handed.slots import End, Found, Slot, Slots, Spot
from awaken.project.source.modules import Module
from awaken.project.source.trees import values_given


class Fields:
    """Answers for one program."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._evaluator = slots.evaluator

    # ------------------------------------------------------------------------------------ fields
    def accesses_of(self, slot: Slot) -> Found:
        """Yield all that is put into a field, and all that reads it."""
        for module in self._evaluator.modules_at(self._slots.words.files_with(slot.name)):
            yield from self._field_in(module, slot)
        yield from self._in_body(slot)
        yield from self._constructor_arguments(slot)

    def _field_in(self, module: Module, slot: Slot) -> Found:
        """Yield what one file puts into a field, and what reads it there."""
        for node in module.nodes(ast.Attribute):
            if node.attr != slot.name:
                continue
            shares = self._slots.shares(slot, module, node.value)
            if shares is None:
                why = f"`{module.excerpt(node)}` may be `{slot.owner.rpartition('.')[2]}`'s"
                yield End("leak", module, node, why)
            elif shares and isinstance(node.ctx, ast.Load):
                yield Spot(module, node, slot.depth)
            elif shares and isinstance(node.ctx, ast.Store):
                yield from self._stored_value(module, node, slot)

        for mention in module.mentions(slot.name):
            call = module.parent(mention)
            if isinstance(mention, ast.Constant) and isinstance(call, ast.Call):
                yield from self._getattr_read(module, call, mention, slot)

    def _getattr_read(
        self, module: Module, call: ast.Call, name: ast.Constant, slot: Slot
    ) -> Found:
        """Yield ``call`` if it is a ``getattr`` that reads a field."""
        is_asked = len(call.args) > 1 and call.args[1] is name
        if not is_asked or module.scopes.builtin_called(call) != "getattr":
            return
        shares = self._slots.shares(slot, module, call.args[0])
        if shares is None:
            yield End("leak", module, call, f"`{module.excerpt(call)}` may read it")
        elif shares:
            yield Spot(module, call, slot.depth)

    def _stored_value(self, module: Module, node: ast.Attribute, slot: Slot) -> Found:
        match module.parent(node):
            case ast.Assign() | ast.AnnAssign() as above:
                if above.value is not None:
                    yield Spot(module, above.value, slot.depth)
            case _:
                yield End(
                    "leak", module, node, f"the arguments of `{module.excerpt(node)}` are unknown"
                )

    def _in_body(self, slot: Slot) -> Found:
        """Yield what the bodies of classes give to a field."""
        for owner in (slot.owner, *self._evaluator.classes.all_subclasses(slot.owner)):
            module, node = self._evaluator.classes.node(owner) or (None, None)
            for name, value in values_given(node.body) if node is not None else ():
                if name == slot.name and module is not None:
                    yield from self._field_default(module, value, slot)

    def _field_default(self, module: Module, value: ast.expr, slot: Slot) -> Found:
        if (
            isinstance(value, ast.Call)
            and self._evaluator.names.qualified_name(module, value.func) == "dataclasses.field"
        ):
            for keyword in value.keywords:
                if keyword.arg == "default":
                    yield Spot(module, keyword.value, slot.depth)
                elif keyword.arg == "default_factory" and not slot.depth:
                    yield End("leak", module, value, "a factory gives the default")
            return
        yield Spot(module, value, slot.depth)

    def _constructor_arguments(self, slot: Slot) -> Found:
        """Yield what calls of classes without ``__init__`` give to a field."""
        for owner in (slot.owner, *self._evaluator.classes.all_subclasses(slot.owner)):
            if self._slots.own_fields(owner) is None:
                continue
            for word in (owner.rpartition(".")[2], "cls"):
                yield from self._made_as(word, owner, slot)
        for module, node in self._slots.mentions("replace"):
            call = module.call_of(node)
            if call is not None:
                for keyword in call.keywords:
                    if keyword.arg == slot.name:
                        yield Spot(module, keyword.value, slot.depth)

    def _made_as(self, word: str, owner: str, slot: Slot) -> Found:
        home = self._evaluator.classes.facts(owner)
        for module, node in self._slots.mentions(word):
            call = module.call_of(node)
            if call is None or (word == "cls" and (home is None or module.path != home.path)):
                continue
            for value, made, name in self._slots.fields_given(module, call):
                if name == slot.name and self._slots.field(made, name, slot.depth) == slot:
                    yield Spot(module, value, slot.depth)
