"""The edits of one file on their way through the engine.

Begin with ``owned_edits`` (an edit with its change and rule), then ``file_slices`` (the smallest
pieces that can be parsed alone) and ``splices`` (new bytes in place of old ones). ``insertions``
places new statements, ``style`` reads how the file is written, ``node_kinds`` pairs LibCST nodes
with ``ast``. ``comparison`` proves that nothing else changed.
"""
