"""Names over files: imports, aliases, re-exports and classes.

Begin with ``resolution`` (a name to its definition) over ``tables`` (what each file gives to
others) and ``layout`` (file and module names). ``classes`` knows bases and subclasses, ``in_scope``
how a place can name something, ``usages`` and ``origins`` what a mention does, ``visibility`` what
outsiders see. ``file_facts`` is what each file says by itself, kept by content; most of the others
answer from it, without a tree. ``circles`` answers questions that depend on each other.
"""
