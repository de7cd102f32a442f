"""What ``patch`` puts in the place of sessions: of their classes, of factories, and of objects."""
