"""Strings that were sent without a type: ``casting`` writes what they are, ``keys`` those of `get`.

``telling`` says what is a string, and which columns hold none.
"""
