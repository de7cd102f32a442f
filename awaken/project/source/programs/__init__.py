"""All files of a program: what asks for one (``program``), where each is parsed and kept.

``module_store`` parses and keeps files, and ``start_folders`` says from where a program is started.
``alembic_files`` are the files of Alembic.
"""
