"""Edits of how relationships load: the options of a statement, and what a declaration says."""
