"""Where the event loop ends: code that calls functions outside of it.

Begin with ``entry_points``, the functions that other code calls outside of the loop, and with
``bridges``, which makes them run coroutines. ``reach`` says whether code runs in processes of its
own or only in the loop, ``outside`` finds callers that are not visible. ``disposal`` closes
connections before their loop ends, ``schedulers`` moves jobs into the loop. ``scripts`` rewrites
code outside of functions, and ``workers`` rewrites tasks.
"""
