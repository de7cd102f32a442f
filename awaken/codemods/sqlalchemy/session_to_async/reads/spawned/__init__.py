"""Reads that no statement can load beforehand: their code runs where it may load itself."""
