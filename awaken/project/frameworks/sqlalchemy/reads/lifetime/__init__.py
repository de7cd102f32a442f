"""The life of an object between the call that loads it and the places that read it."""
