"""Sessions that a program makes itself: the calls that make one, and dependencies that give one.

Begin with ``made``: what a call makes. ``dependencies`` decides whether a function that web
frameworks inject returns a session, and what happens to it.
"""
