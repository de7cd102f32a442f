"""Help for a name that does not exist: the known one that looks most like it."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return which of ``known`` a user most likely meant by ``name``; None if none looks like it.

    Upper case, and ``_`` for ``-``, make no difference.
    """
    import difflib  # noqa: PLC0415  only a misspelt name needs it

    # Backwards, so that of two that look alike the first by name is kept. Half of the letters are
    # enough to be helpful: a wrong guess costs the reader one word.
    plain = {_plain(word): word for word in sorted(known, reverse=True)}
    matches = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    return plain[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return ``"; did you mean 'x'?"`` with the nearest of ``known``.

    ``otherwise`` comes after the semicolon where none looks like ``name``; empty says nothing.
    """
    result = nearest(name, known)
    if result is not None:
        return f"; did you mean {result!r}?"
    return f"; {otherwise}" if otherwise else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
