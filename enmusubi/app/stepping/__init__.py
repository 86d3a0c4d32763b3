"""The path of a match: which steps there are, who may take them when, and how one is taken."""
