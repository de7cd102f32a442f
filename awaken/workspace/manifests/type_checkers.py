"""Type checkers that read a project: the files in which one is set up."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKER_READS = (
    "/mypy.ini", "/.mypy.ini", "/pyrightconfig.json", "/pyproject.toml", "/setup.cfg",
    "/.pre-commit-config.yaml",
)  # fmt: skip
"""The files beside Python that tell."""
_SIGNS: Mapping[str, tuple[bytes, ...]] = {
    "pyproject.toml": (b"[tool.mypy", b"[tool.pyright", b"[tool.basedpyright", b"[tool.ty"),
    "setup.cfg": (b"[mypy",),
    ".pre-commit-config.yaml": (b"mypy", b"pyright"),
}
"""What the files hold that hold settings of other programs as well."""


def is_set_up(files: Mapping[str, bytes]) -> bool:
    """Whether some of the files, each with its text, set up a type checker."""
    return any(
        name not in _SIGNS or any(sign in text for sign in _SIGNS[name])
        for name, text in files.items()
    )
