"""What is done in the background, by a worker: sending notices, and chores at their times."""
