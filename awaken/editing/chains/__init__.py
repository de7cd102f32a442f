"""Chains of calls: the lines that they take, and how long ones are laid out."""
