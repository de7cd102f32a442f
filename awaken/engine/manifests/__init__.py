"""Additions to a project's settings files: requirements, and keys of tables.

Begin with ``requirements`` (which manifest, and what is added to it) and ``setting_keys``. Both
edit whole texts (``whole_texts``), and what they cannot write is left to do.
"""
