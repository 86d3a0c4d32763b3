"""From files to a published snapshot."""
