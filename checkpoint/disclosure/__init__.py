"""Who looked at whom: opening what is sealed, for a purpose, and counting how many people each colleague is shown."""
