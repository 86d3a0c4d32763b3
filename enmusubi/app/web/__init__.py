"""Pages for people: server-rendered, beside the API and over the same use cases; neither knows the other."""
