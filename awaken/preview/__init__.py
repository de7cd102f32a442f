"""What a run looks like: one module per form."""
