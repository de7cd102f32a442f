"""Find: the operations of a program, which are calls that perform blocking I/O on a session.

Begin with ``operations_of_files``. ``test_clients`` adds those of clients of tests.
``blocking_engines``, ``listeners``, ``idle`` and ``inside`` leave out code that stays plain.
"""
