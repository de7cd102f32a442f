"""The options of the commands, and other words of a command line.

Begin with ``shared_options``: every shared option, once. ``groups`` bundles options as dataclasses;
``standard_input`` reads ``-``, ``file_position`` reads ``FILE:LINE:COLUMN``, ``command_line``
writes commands that users can copy.
"""
