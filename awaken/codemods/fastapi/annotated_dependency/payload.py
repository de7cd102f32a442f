"""The payloads of the rewriter: plain data."""

from __future__ import annotations

from msgspec import Struct


class ParameterRewrite(Struct, frozen=True):
    """One parameter whose marker moves into its annotation.

    ``removed`` is the index of the marker's argument with the default, -1 if it has none; ``kept``
    says that it remains the parameter's default, which `...` does not.
    """

    name: str
    removed: int = -1
    kept: bool = False


class SignatureRewrite(Struct, frozen=True):
    """The rewrite of a function's parameters.

    ``order`` are the names of the positional parameters, in their new order; ``star`` is the name
    of the parameter after the bare `*`.
    """

    parameters: tuple[ParameterRewrite, ...]
    order: tuple[str, ...]
    star: str = ""
