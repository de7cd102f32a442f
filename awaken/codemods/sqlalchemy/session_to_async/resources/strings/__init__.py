"""Strings sent without a type: ``casting`` writes what they are."""
