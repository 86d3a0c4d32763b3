"""A whole cluster into a file that others can read, and out of it again."""
