"""The matching library: text and vectors in, ranked ids with reasons out."""
