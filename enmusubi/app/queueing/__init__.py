"""The review queue of a cluster's coordinators: its page, the opened match, decisions on many, saved views."""
