"""Asking other places about people, and answering them: signed and sealed messages between two instances (协查联动)."""
