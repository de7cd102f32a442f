"""Codemods of LibCST that do what nobody wants, for the tests of passes."""

from __future__ import annotations

import sys
import threading
import time

import json  # isort: skip  as a project may have one of its own

import libcst as cst
from libcst.codemod import CodemodCommand

DONE = threading.Event()
threading.Thread(target=DONE.wait, daemon=True).start()


def _lines(tree, text):
    return [*tree.body, *cst.parse_module(text).body]


class BadCommand(CodemodCommand):
    """Does to a file what its first line says."""

    DESCRIPTION = "bad"

    def transform_module_impl(self, tree):
        word = tree.code.partition("\n")[0].removeprefix("# ")
        return getattr(self, word)(tree)

    def same(self, tree):
        return tree

    def equal(self, tree):
        return tree.deep_clone()

    def no_python(self, tree):
        return tree.with_changes(body=_lines(tree, "if a:\n    b\n"), default_indent="")

    def no_tree(self, tree):
        del tree

    def twice(self, tree):
        return tree.with_changes(body=[*tree.body, *tree.body])

    def no_last_line(self, tree):
        return tree.with_changes(has_trailing_newline=False, body=_lines(tree, "b = 2\n"))

    def only_no_last_line(self, tree):
        return tree.with_changes(has_trailing_newline=False)

    def other_line_ends(self, tree):
        return tree.with_changes(default_newline="\r\n", body=_lines(tree, "b = 2\n"))

    def loops(self, tree):
        while tree:
            pass

    def waits(self, tree):
        del tree
        time.sleep(3600)

    def waits_for_a_thread(self, tree):
        thread = threading.Thread(target=DONE.wait)
        thread.start()
        thread.join()
        return tree

    def threads(self, tree):
        found = []
        thread = threading.Thread(target=lambda: found.append(json.dumps("t")))
        thread.start()
        thread.join()
        return tree.with_changes(body=_lines(tree, f"c = {found[0]}\n"))

    def prints(self, tree):
        sys.stdout.write("\udcff" + "x" * 100_000)
        return tree

    def recurses(self, tree):
        return self.recurses(tree)

    def remembers_everything(self, tree):
        return [bytes(1 << 20) for _ in iter(int, 1)] and tree
