"""The only LibCST helpers."""
