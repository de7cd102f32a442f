"""Threads that hold locks, and pools of threads.

``locks`` has code that holds a lock while it waits, and the locks that become those of tasks.
``takings`` finds where locks are taken, ``thread_pools`` what a pool calls.
"""
