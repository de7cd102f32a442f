"""Attributes that are expired: by a rollback, or by name.

``expired`` loads them before their reads, and ``expiring_calls`` finds the calls that expire.
``expire_calls`` reloads attributes that are expired by name.
"""
