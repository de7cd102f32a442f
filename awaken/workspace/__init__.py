"""The project on disk, before anything is known about the program in it.

Every byte of a target comes in through ``reading``; nothing else opens, lists or parses its files
(``tests/workspace/test_one_way_in.py`` holds that). Begin with ``discovery``: the projects of a run
and their files, less what ``ignores`` leaves out. ``sources`` and ``parsing`` make
text and trees from bytes, ``ini``, ``toml_text`` and ``json_text`` read the small formats,
``suppressions`` reads comments, ``manifests`` read the project's declarations, ``project_settings``
is their summary for rules, and ``text_files`` the other files that rules ask for.
"""
