"""The words that rules, engine and previews share. Imports nothing else of awaken."""

from awaken.contract.changes import Change, NoOptions, Pins, Plan, Problem
from awaken.contract.edits import (
    CreateFile,
    Edit,
    InsertStatements,
    NeedImport,
    NodeEdit,
    ReleaseImport,
    Requirement,
    TextEdit,
)
from awaken.contract.errors import UnusableFile, UserError
from awaken.contract.findings import ChangeId, Finding, Level, Reason, SiteId
from awaken.contract.places import Place, Span
from awaken.contract.rewriters import Parentheses, Phase, Rewriter, Surroundings

__all__ = [
    "Change",
    "ChangeId",
    "CreateFile",
    "Edit",
    "Finding",
    "InsertStatements",
    "Level",
    "NeedImport",
    "NoOptions",
    "NodeEdit",
    "Parentheses",
    "Phase",
    "Pins",
    "Place",
    "Plan",
    "Problem",
    "Reason",
    "ReleaseImport",
    "Requirement",
    "Rewriter",
    "SiteId",
    "Span",
    "Surroundings",
    "TextEdit",
    "UnusableFile",
    "UserError",
]
