"""Tables and sheets by themselves."""
