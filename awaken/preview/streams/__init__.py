"""The way to stdout, stderr and files, and foreign text made harmless on it.

``output`` writes what a form yields, ``messages`` writes sentences to stderr, ``visible`` escapes
what could act on a terminal or in a log. No other module than ``console`` writes to the streams
directly.
"""
