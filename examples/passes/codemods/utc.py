"""A codemod of LibCST: `datetime.utcnow()` gives a time without a zone, and is deprecated."""

import argparse

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.codemod.visitors import AddImportsVisitor


class UtcNowCommand(VisitorBasedCodemodCommand):
    DESCRIPTION = "Replaces datetime.utcnow() by datetime.now(UTC)."

    @staticmethod
    def add_args(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="the method that goes")

    def __init__(self, context: CodemodContext, name: str) -> None:
        super().__init__(context)
        self.name = name

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        utcnow = m.Call(func=m.Attribute(value=m.Name("datetime"), attr=m.Name(self.name)))
        if not m.matches(updated_node, utcnow):
            return updated_node
        AddImportsVisitor.add_needed_import(self.context, "datetime", "UTC")
        return cst.parse_expression("datetime.now(UTC)")
