"""What awaken takes in of a target: bytes, names of directories, and the small file formats.

Every byte of a target comes in through ``reading``. Nothing else opens, lists or parses its files;
``tests/workspace/test_one_way_in.py`` holds that.
"""
