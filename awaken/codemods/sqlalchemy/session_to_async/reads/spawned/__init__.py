"""Reads that nobody can load beforehand: what reads runs where it may load itself."""
