"""From a notice to its readers: who they are, what they are told, and every attempt at telling them."""
