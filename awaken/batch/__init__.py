"""Campaigns: one migration over many repositories.

A campaign is a folder with an ``awaken-batch.toml``. Begin with ``manifest``, which reads it, and
``state``, the log of what became of each repository. ``working`` does the steps of one repository
in processes of its own, ``executors`` run it for many, ``coordinating`` is what writes the log.
``reviewing`` shows the results, and ``publishing`` brings what was approved to a code host
(``hosts``).
"""
