"""The catalogue of a cluster: seeds, needs and organisations, with their queries."""
