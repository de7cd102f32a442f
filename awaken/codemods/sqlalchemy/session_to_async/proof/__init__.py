"""The proof: after the change, all that waits is awaited, and nothing waits synchronously.

``problems`` puts together what is wrong in the form of the code (``misplaced_awaits``), with
operations of the database (``operation_proof``), with calls of the program's own coroutine
functions, generators and managers (``call_proof``; ``result_kinds`` tells which is which), unless
it was so ``before``, and with functions that are called in the place of each other
(``function_groups``).
"""
