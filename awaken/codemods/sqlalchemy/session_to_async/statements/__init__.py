"""Statements outside of functions that wait: they are written into a coroutine function.

Begin with ``script_writing``, and with ``at_import`` for what is not moved. ``application_start``
writes what an application does when it starts, ``environments`` the files of Alembic.
"""
