"""A "no" that works: what it was said for, which change answers it, and what its owner learns of it."""
