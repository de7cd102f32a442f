"""The proof of a rewrite by the project's own tests: they run before and after, in a copy.

Begin with ``verify_changes``, which leads; ``copies`` makes what the tests run in, ``suites`` runs
them and reads what the plugin in ``plugin/`` writes down, ``sufficient_runs`` says what differs,
``blame`` finds the change that is guilty.
"""
