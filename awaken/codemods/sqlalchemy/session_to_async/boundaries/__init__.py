"""Where the event loop ends: what calls functions outside of it, and what becomes of them.

Begin with ``entry_points``, the functions that something calls outside of the loop, and with
``bridges``, which writes those that run coroutines. ``reach`` tells whether code runs in processes
of its own, or in the loop alone, ``outside`` has the callers that are not visible. ``disposal``
closes connections before their loop ends, ``schedulers`` has jobs run in the loop, ``scripts`` sees
to what runs outside of functions, and ``workers`` to tasks.
"""
