"""Read posted files into the catalogue, each on behalf of the account that posted it; the one user of `ingest` here.

Rows are entered and revised as that account's own calls would do it, in batches, a transaction each, with their counts.
Killed in the middle, it goes on behind the last batch that is committed.
"""
