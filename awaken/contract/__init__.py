"""The types that rules, engine and previews share. Imports nothing else of awaken.

Begin with ``contract_changes`` (a plan, and what constrains it), then ``findings`` and ``edits``.
``rewriter_input`` has what a rewriter is given, ``places`` byte spans in files, ``errors`` what a
user can meet, ``nearest`` help for a misspelt name.
"""

from awaken.contract.contract_changes import (
    Change,
    Constraints,
    NoOptions,
    Outline,
    OutlinePart,
    OutlineRow,
    Plan,
    Problem,
)
from awaken.contract.edits import (
    ByHand,
    CreateFile,
    Edit,
    InsertStatements,
    NeedImport,
    NodeEdit,
    ReleaseImport,
    ReplaceStatements,
    Requirement,
    SetKey,
    TextEdit,
)
from awaken.contract.errors import UnusableFile, UserError
from awaken.contract.findings import ChangeId, Finding, Level, Reason, SiteId
from awaken.contract.places import Place, Span
from awaken.contract.rewriter_input import Parentheses, Phase, Rewriter, Status, Surroundings

__all__ = [
    "ByHand",
    "Change",
    "ChangeId",
    "Constraints",
    "CreateFile",
    "Edit",
    "Finding",
    "InsertStatements",
    "Level",
    "NeedImport",
    "NoOptions",
    "NodeEdit",
    "Outline",
    "OutlinePart",
    "OutlineRow",
    "Parentheses",
    "Phase",
    "Place",
    "Plan",
    "Problem",
    "Reason",
    "ReleaseImport",
    "ReplaceStatements",
    "Requirement",
    "Rewriter",
    "SetKey",
    "SiteId",
    "Span",
    "Status",
    "Surroundings",
    "TextEdit",
    "UnusableFile",
    "UserError",
]
