"""The proof: after the change, all that waits is awaited, and nothing waits synchronously.

``problems`` puts together what is wrong in the form of the code, and with functions that are called
in the place of each other. ``call_proof`` has the operations of the database, and calls of the
program's own coroutine functions, generators and managers, unless it was so before.
"""
