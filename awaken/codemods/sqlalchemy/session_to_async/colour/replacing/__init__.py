"""Functions of tests that replace others: they become coroutine functions too.

``stand_ins`` finds patches, ``fakes`` what is ``overridden`` as a dependency.
"""
