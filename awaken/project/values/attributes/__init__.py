"""Attributes: ``members`` tells of what, and asks ``own_attributes`` or ``library_attributes``."""
