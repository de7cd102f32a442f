"""Answers to questions of the evaluator: found, and measured, in ``circles``."""
