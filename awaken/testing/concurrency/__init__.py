"""Coroutines of a case, run on both sides under an event loop, and what may differ."""

from awaken.testing.concurrency.compared_coroutines import assert_same_concurrency

__all__ = ["assert_same_concurrency"]
