"""The rewriters of this rule: ``hoisted_statements``, and loops of builtins (``written_loops``)."""
