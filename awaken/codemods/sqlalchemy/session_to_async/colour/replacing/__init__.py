"""Functions of tests that replace others: they become coroutine functions too.

``test_stand_ins`` finds patches, ``fakes`` what is ``overridden`` as a dependency.
"""
