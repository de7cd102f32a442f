"""The proof: after the change, all that waits is awaited, and nothing waits synchronously.

``problems`` puts together what is wrong in the form of the code (``forms``), with operations of the
database (``operations``), and with calls of the program's own coroutine functions, generators and
managers (``calls``).
"""

from awaken.codemods.sqlalchemy.session_to_async.proof.problems import problems

__all__ = ["problems"]
