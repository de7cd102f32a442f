"""Codemods of LibCST for the tests of passes: what they do, and what goes wrong in them."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodCommand, SkipFile, VisitorBasedCodemodCommand
from libcst.codemod.visitors import AddImportsVisitor
from libcst.metadata import FilePathProvider, FullyQualifiedNameProvider, TypeInferenceProvider

SEEN = []
WRITTEN = Path(os.sep, "written-by-a-pass.txt")
"""Outside of the directory for temporary files, where this one may lie."""


class RenameCommand(VisitorBasedCodemodCommand):
    """Renames what it is told to, and says so."""

    DESCRIPTION = "rename"

    @staticmethod
    def add_args(parser):
        parser.add_argument("--old", required=True)
        parser.add_argument("--new", required=True)
        parser.add_argument("--loud", action="store_true")
        parser.add_argument("--only", action="append")

    def __init__(self, context, old, new, loud, only):
        super().__init__(context)
        self.old, self.new, self.loud, self.only = old, new, loud, only

    def leave_Name(self, original_node, updated_node):
        if original_node.value != self.old:
            return updated_node
        if self.loud:
            self.warn(f"{self.old} is gone from {self.context.full_module_name}")
            print("renamed in", self.context.full_package_name)
        return updated_node.with_changes(value=self.new)


class RemembersCommand(CodemodCommand):
    """Writes how many files it has seen, and how many its context holds."""

    DESCRIPTION = "remember"

    def transform_module_impl(self, tree):
        del tree
        SEEN.append(self.context.filename)
        scratch = self.context.scratch
        scratch["files"] = [*scratch.get("files", []), self.context.filename]
        text = f"seen = {len(SEEN)}, {len(scratch['files'])}\n"
        return cst.parse_module(text)


class NamesCommand(VisitorBasedCodemodCommand):
    """Writes the qualified name of each function behind it."""

    DESCRIPTION = "names"
    METADATA_DEPENDENCIES = (FullyQualifiedNameProvider, FilePathProvider)

    def visit_Module(self, node):
        self.path = self.get_metadata(FilePathProvider, node)

    def leave_FunctionDef(self, original_node, updated_node):
        names = self.get_metadata(FullyQualifiedNameProvider, original_node)
        said = f"{min(one.name for one in names)} {self.path.name}"
        docstring = cst.parse_statement(f'"{said}"')
        return updated_node.with_changes(body=cst.IndentedBlock([docstring]))


class ImportsCommand(VisitorBasedCodemodCommand):
    """Needs an import in each file, by the context that visitors share."""

    DESCRIPTION = "imports"

    def visit_Module(self, node):
        del node
        AddImportsVisitor.add_needed_import(self.context, "os")

    def leave_Module(self, original_node, updated_node):
        del original_node
        return AddImportsVisitor(self.context).transform_module(updated_node)


class TypesCommand(VisitorBasedCodemodCommand):
    """Asks for what only Pyre knows."""

    DESCRIPTION = "types"
    METADATA_DEPENDENCIES = (TypeInferenceProvider,)


class AbstractCommand(CodemodCommand):
    """Does not say what it does."""

    DESCRIPTION = "abstract"


class FailsCommand(VisitorBasedCodemodCommand):
    """Does whatever a name in the file says."""

    DESCRIPTION = "fails"

    def leave_Name(self, original_node, updated_node):
        match original_node.value:
            case "raises":
                raise ValueError("no")
            case "exits":
                raise SystemExit(1)
            case "dies":
                os._exit(3)
            case "skips":
                raise SkipFile("not this one")
            case "asks":
                input("name? ")
            case "writes":
                WRITTEN.write_text("x")
            case "connects":
                socket.create_connection(("192.0.2.1", 80))
            case "waits":
                time.sleep(3600)
            case "removes":
                return cst.RemoveFromParent()
            case "works":
                return updated_node.with_changes(value="worked")
        return updated_node


class DoublesCommand(CodemodCommand):
    """Gives a file twice as long."""

    DESCRIPTION = "doubles"

    def transform_module_impl(self, tree):
        return tree.with_changes(body=[*tree.body, *tree.body])


class ReformatsCommand(VisitorBasedCodemodCommand):
    """Indents by three."""

    DESCRIPTION = "reformats"

    def leave_IndentedBlock(self, original_node, updated_node):
        del original_node
        return updated_node.with_changes(indent="   ")


class EndsCommand(CodemodCommand):
    """Takes the end of the last line, or gives it one; and renames."""

    DESCRIPTION = "ends"

    def transform_module_impl(self, tree):
        text = tree.code.replace("old", "new")
        ended = text.endswith("\n")
        return cst.parse_module(text.rstrip("\n") if ended else f"{text}\n")


class RemovesCommentsCommand(VisitorBasedCodemodCommand):
    """Removes every comment, that of the encoding among them."""

    DESCRIPTION = "removes comments"

    def leave_EmptyLine(self, original_node, updated_node):
        if original_node.comment is None:
            return updated_node
        return cst.RemoveFromParent()


class BreaksCommand(CodemodCommand):
    """Gives what does not compile."""

    DESCRIPTION = "breaks"

    def transform_module_impl(self, tree):
        return tree.with_changes(body=[*tree.body, cst.parse_statement("return")])


class _Visits(cst.CSTVisitor):
    def __init__(self, command):
        self.command = command

    def visit_Name(self, node):
        self.command.warn(f"visited by another: {node.value}")


class _VisitsAgain(_Visits):
    def visit_Name(self, node):
        if node.value == "f":
            self.command.warn("a second time")


class WarnsCommand(VisitorBasedCodemodCommand):
    """Warns of many places, and puts a line in front of all."""

    DESCRIPTION = "warns"

    def transform_module_impl(self, tree):
        self.warn("before all")
        changed = super().transform_module_impl(tree)
        changed = changed.with_changes(body=[cst.parse_statement("y = 1"), *changed.body])
        changed.visit(_VisitsAgain(self))
        self.context.warnings.append("behind all")
        return changed

    def visit_FunctionDef(self, node):
        self.warn(f"a function: {node.name.value}")

    def leave_Call(self, original_node, updated_node):
        original_node.func.visit(_Visits(self))
        return updated_node

    def leave_Integer(self, original_node, updated_node):
        if original_node.value == "2":
            self.warn("the last number")
        return updated_node


class DecoratedCommand(VisitorBasedCodemodCommand):
    """Has decorated methods of each kind, overrides some of LibCST's, and gets one when made."""

    DESCRIPTION = "decorated"

    def __init__(self, context):
        self.late = self.visit_Late
        super().__init__(context)
        self.called = []

    @property
    def never_asked(self):
        raise AssertionError

    @m.visit(m.Name("a"))
    def visit_Late(self, node):
        self.called.append(f"visit {node.value}")

    @m.leave(m.Name("b"))
    def leave_late(self, original_node, updated_node):
        self.called.append(f"leave {original_node.value}")
        return updated_node

    @m.call_if_inside(m.FunctionDef())
    def visit_Integer(self, node):
        self.called.append(f"inside {node.value}")


class InheritsCommand(DecoratedCommand):
    """Overrides one more."""

    def visit_Expr_value(self, node):
        self.called.append(f"value {node.value.value}")
