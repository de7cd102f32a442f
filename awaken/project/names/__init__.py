"""Names over files: imports, aliases, re-exports and classes.

Begin with ``resolution`` (a name to its definition) over ``module_tables`` (what each file gives to
others) and ``module_layout`` (file and module names). ``classes`` knows bases and subclasses,
``in_scope`` how a place can name something, ``usages`` and ``import_origins`` what a mention does,
``visibility`` what outsiders see. ``file_facts`` is what each file says by itself, kept by content;
most of the others answer from it, without a tree. ``cyclic_answers`` answers questions that depend
on each other.
"""
