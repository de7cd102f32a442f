"""Attributes that are expired: by a rollback, or by name.

``expired`` loads them before their reads. ``expiring_calls`` finds the calls that expire, and
reloads attributes that are expired by name.
"""
