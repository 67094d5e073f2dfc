"""What recurs: schedules in the database, and the one process at a time that follows them."""
