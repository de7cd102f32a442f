"""The payloads of the rewriter: plain data."""

from __future__ import annotations

from msgspec import Struct


class ParameterRewrite(Struct, frozen=True):
    """One parameter whose marker moves into its annotation.

    ``removed`` is the index of the marker's argument that holds the default, -1 if it has none;
    ``kept`` says that it stays as the parameter's default, for `...` does not.
    """

    name: str
    removed: int = -1
    kept: bool = False


class SignatureRewrite(Struct, frozen=True):
    """The rewrite of a function's parameters.

    ``order`` are the names of the parameters that can be passed by position, as they stand
    afterwards; ``star`` is the name of the parameter in front of which a bare `*` is put.
    """

    parameters: tuple[ParameterRewrite, ...]
    order: tuple[str, ...]
    star: str = ""
