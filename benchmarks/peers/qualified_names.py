"""The LibCST codemod that speed.py compares with: asks for qualified names and changes nothing.

The names are computed by LibCST when they are looked up; this pass looks none up, so it costs
less than any real codemod that uses them.
"""

from __future__ import annotations

from libcst.codemod import VisitorBasedCodemodCommand
from libcst.metadata import QualifiedNameProvider


class AskForQualifiedNames(VisitorBasedCodemodCommand):
    """What `libcst.tool codemod -x qualified_names.AskForQualifiedNames` runs."""

    DESCRIPTION = "Asks for qualified names and changes nothing."
    METADATA_DEPENDENCIES = (QualifiedNameProvider,)
