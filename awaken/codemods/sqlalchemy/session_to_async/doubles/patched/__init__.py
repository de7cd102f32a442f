"""Patches of sessions: of their classes, and of objects."""
