"""The rules: one folder per family, one module or package per rule, found by discovery."""
