"""Strings sent without a type: ``casting`` writes what they are, ``get_keys`` those of `get`.

``telling`` says what is a string, and which columns hold none.
"""
