"""The kinds of places that read relationships, beside plain attributes."""
