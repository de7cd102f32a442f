"""Scripts of Bowler: their queries are captured instead of run, and made on one text each.

Begin with ``script_loading``, which runs a script, captures its queries and mends what does not
work in Bowler itself. ``query`` is one of them, with the files that it asks for. ``refactoring``
makes it on a text, ``hunk_processors`` shows what changes to whom the script wants to see it.
``callback_bindings`` gives names the meaning that they had when a query was to be run.

Nothing of Bowler reads, patches or writes a file, asks, or starts a process: on the way it would
lose carriage returns, byte order marks and files that it cannot parse.
"""
