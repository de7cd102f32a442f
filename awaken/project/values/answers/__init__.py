"""Answers to questions of the evaluator: found in ``circles``, measured in ``question_sizes``."""
