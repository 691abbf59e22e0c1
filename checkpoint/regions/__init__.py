"""Divisions: the tree, and the resolution of any text to a place in it."""

from checkpoint.regions.build import build_index
from checkpoint.regions.index import IndexUnusable, RegionIndex, open_index
from checkpoint.regions.places import AliasBook, DivisionRow, Resolution, Span, Suggestion
from checkpoint.regions.resolver import configure, default_index, resolve, resolve_many
from checkpoint.regions.source import full_name, read_divisions
from checkpoint.regions.suggest import suggest

__all__ = [
    "AliasBook",
    "DivisionRow",
    "IndexUnusable",
    "RegionIndex",
    "Resolution",
    "Span",
    "Suggestion",
    "build_index",
    "configure",
    "default_index",
    "full_name",
    "open_index",
    "read_divisions",
    "resolve",
    "resolve_many",
    "suggest",
]
