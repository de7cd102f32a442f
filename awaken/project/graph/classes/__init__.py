"""Classes and what they inherit: hierarchies, sets of methods that override each other, stubs."""
