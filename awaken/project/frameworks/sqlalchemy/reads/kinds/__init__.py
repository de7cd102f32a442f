"""The kinds of places that read relationships, besides plain attributes."""
