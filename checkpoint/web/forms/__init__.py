"""What people fill in on pages: read, kept, checked, shown again."""
