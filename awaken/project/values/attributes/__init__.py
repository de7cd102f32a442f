"""Attributes: ``members`` tells of what, and asks ``own_attributes`` of classes of the program."""
