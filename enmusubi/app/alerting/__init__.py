"""New entries find their partners: matched when they are published, searched for by saved searches, told of."""
