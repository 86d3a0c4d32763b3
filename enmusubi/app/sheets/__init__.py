"""What leaves the service as a file for people: lists as spreadsheets, a match and the board as sheets of paper."""
