"""Whatever looks at many people again: a changed list or policy, one that was taken back, the feeds that bring lists."""
