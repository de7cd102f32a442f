"""Byte spans, and places: spans in files."""

from __future__ import annotations

from msgspec import Struct


class Span(Struct, frozen=True, order=True):
    """A half-open range of bytes, ``start`` to ``end``, of a file's text as UTF-8 without BOM."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        """Whether ``other`` lies inside this span (equal spans contain each other)."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Whether the two spans share at least one byte."""
        return self.start < other.end and other.start < self.end  # an empty span shares none


class Place(Struct, frozen=True, order=True):
    """A span of one file; ``path`` is relative to the project root with ``/`` between its parts."""

    path: str
    span: Span
    note: str = ""
