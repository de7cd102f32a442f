"""What something else is put in the place of, by what code, and in which tests."""
