"""Effects of a rewrite that callers can observe, for the caveats of its finding.

``failures`` finds who catches or expects an exception, ``replaced_names`` which tests replace a
name, and ``listing_calls`` which calls see all names of a scope.
"""
