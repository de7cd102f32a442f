"""The proof: after the change, all that waits is awaited, and nothing waits synchronously.

``problems`` puts together what is wrong in the form of the code (``forms``), with operations of the
database (``operations``), with calls of the program's own coroutine functions, generators and
managers (``calls``; ``kinds`` tells which is which), unless it was so ``before``, and with
functions that are called in the place of each other (``together``).
"""
