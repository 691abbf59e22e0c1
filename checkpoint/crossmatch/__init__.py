"""Holding a whole inquiry list against everybody who is registered, and the registered against a list that has just come into force."""
