"""Phases, materialising, checks, and the writing of files."""
