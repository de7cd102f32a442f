"""The rewriters of this rule: ``statements``, and in ``loops`` what becomes a loop of its own."""
