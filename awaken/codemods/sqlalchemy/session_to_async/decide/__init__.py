"""Decide: which components convert, each as one change.

Begin with ``deciding``, and with ``outcome``, which makes the changes. ``links`` and ``carriers``
say which pieces belong together.
"""
