"""Who of A is not in B: people who should have been somewhere, tested, registered or answered, and those who are missing."""
