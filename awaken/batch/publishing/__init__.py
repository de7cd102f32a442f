"""Brings what was approved to a code host, slowly, and never twice.

``publishing`` is the loop, ``pacing`` the rates and pauses, ``pushing`` the branches,
``request_text`` the text of a pull request, and ``following`` its later state.
"""
