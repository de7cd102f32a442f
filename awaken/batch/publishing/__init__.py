"""Brings what was approved to a code host, slowly, and never twice.

``publishing`` is the loop, ``pacing`` the rates and pauses, ``pushing`` the branches,
``request_text`` the words of a pull request, and ``following`` what becomes of it later.
"""
