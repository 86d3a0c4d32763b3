"""The cluster's board: figures, the map, and the chain of innovation, as pictures and as tables."""
