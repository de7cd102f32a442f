"""Connections that a program opens: engines, pools, clients.

Begin with ``openings``, the calls that open one.
"""
