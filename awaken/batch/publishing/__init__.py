"""Brings what was approved to a code host, slowly, and never twice.

``publishing`` is the loop, with its rates, and the text of a pull request. ``pushing`` has the
branches, and ``following`` the later state of a pull request.
"""
