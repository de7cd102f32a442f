"""Expressions by their syntax: their ``alternatives``, and the parts of ``lists``."""
