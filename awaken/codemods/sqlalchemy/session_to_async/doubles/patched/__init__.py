"""Patches of sessions: of their classes, of factories, and of objects."""
