"""The engine: carries a run through, from reading a project to files on disk.

Begin with ``run`` (one project root) and ``planning.phases`` (the loop over the rules). Then, in
the order in which a run comes to them:

``planning``     the phases: rules plan, plans are filtered, conflicts resolved
``edits``        edits of one file on their way: slices, splices, insertions, the file's style
``rewriting``    all edits of one Python file, by LibCST, and the proof that nothing else changed
``imports``      the imports of a rewritten file
``manifests``    requirements that a change adds to a manifest
``formatting``   long lines, and the project's own formatter
``suppressing``  sites that a comment, a setting, the baseline or ``--since`` holds back
``remembering``  results kept for the next run on the same bytes
``writing``      apply, journal, undo, and the lock on a tree
``asking``       staged runs, and the questions of ``apply --interactive``
``explaining``   the answers of ``awaken explain``
``diagnosing``   the facts and remarks of ``awaken doctor``
``machine``      the operating system: files, programs, git, worker processes, limits

``baseline`` is a file of sites to leave alone. ``report`` is what a run returns; ``progress`` is
how far it has come.
"""
