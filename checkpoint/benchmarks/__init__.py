"""`scripts/bench`: what the hot paths cost, measured beside the bare stack in the same run and in the same workers.

Speeds drift by a factor of two between runs on a shared machine, so the figures that mean something are ratios: a bare Flask
view (`floor`) is mounted in the very workers that serve the application, and both are loaded in turn.
"""
