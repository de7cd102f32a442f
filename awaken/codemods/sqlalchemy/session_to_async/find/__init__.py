"""Find: the operations of a program, which are calls that perform blocking I/O on a session.

Begin with ``operations_of_files``. ``unannotated`` adds those on parameters without annotation,
``test_clients`` those of clients of tests. ``blocking_engines``, ``listeners``, ``idle``,
``migration_helpers`` and ``inside`` leave out code that stays plain. ``program_mentions`` reads
names.
"""
