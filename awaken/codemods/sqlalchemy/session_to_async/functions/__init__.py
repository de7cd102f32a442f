"""Functions that wait: their headers, what is awaited in them, and who is passed them.

Begin with ``function_writer``, which writes one function; ``expressions`` says what is awaited,
entered and iterated in it. ``escapes`` finds who may call a function without awaiting it,
``coroutine_decorators`` writes decorators, wrappers and context managers.
"""
