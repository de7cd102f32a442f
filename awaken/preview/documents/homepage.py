"""The address of awaken's own pages, for forms that have a place for it."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def homepage() -> str:
    """Return the ``Homepage`` of the installed distribution; empty where it has none."""
    urls = metadata.metadata("awaken").get_all("Project-URL") or []
    labels = (url.partition(", ") for url in urls)
    return next((address for label, _, address in labels if label == "Homepage"), "")
