"""The map of a cluster: seeds and needs on a plane, near to each other where their meanings are."""
