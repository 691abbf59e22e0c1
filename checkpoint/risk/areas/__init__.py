"""Listed risk areas below the county, and whether a stay lies in one: pure, no database, no clock."""

from checkpoint.risk.levels import Level

from .book import AreaBook, AreaMatch, Depth
from .shelf import ListedArea

__all__ = ["AreaBook", "AreaMatch", "Depth", "Level", "ListedArea"]
