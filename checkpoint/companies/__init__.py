"""Companies and their return to work (复工复产): who works there, what was applied for them, and whether each may come."""
