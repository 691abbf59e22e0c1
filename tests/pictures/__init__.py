"""The pictures of README.md and docs/faces.md, taken from a running system: scripts/pictures."""
