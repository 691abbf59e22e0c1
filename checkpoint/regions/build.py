"""Making the index file from the rows of the tree."""

import gc
import json
import os
import tempfile
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path

from marisa_trie import Trie

from checkpoint.regions import names, renames, zones
from checkpoint.regions.folding import build_fold_map
from checkpoint.regions.hints import hint_keys
from checkpoint.regions.index import SCOPE_BASE, as_bytes, pack
from checkpoint.regions.places import DivisionRow
from checkpoint.regions.romanised import latin_forms
from checkpoint.regions.sounds import read_table, sound_table
from checkpoint.regions.source import is_filler

_STEP = 20_000


class _Tree:
    """The rows numbered by code, with parents and where each one's descendants end."""

    def __init__(self, rows: Iterable[DivisionRow]) -> None:
        self.rows = sorted(rows)
        number = {row.code: node for node, row in enumerate(self.rows)}
        self.parents = [number[row.parent] if row.parent else -1 for row in self.rows]
        self.ends = list(range(1, len(self.rows) + 1))
        for node in range(len(self.rows) - 1, -1, -1):
            above = self.parents[node]
            if above >= 0:
                self.ends[above] = max(self.ends[above], self.ends[node])
        self.upper = [node for node, row in enumerate(self.rows) if row.level <= 3]
        self.scope = {node: chr(SCOPE_BASE + 1 + rank) for rank, node in enumerate(self.upper)}

    def above(self, node: int) -> list[int]:
        """The divisions that hold one, nearest first."""
        chain = []
        while (node := self.parents[node]) >= 0:
            chain.append(node)
        return chain


class _Keys:
    """The keys of the trie with the divisions that each may mean."""

    def __init__(self, fold_map: dict[int, str]) -> None:
        self._fold_map = fold_map
        self.posts: dict[str, list[int]] = {}

    def add(self, scopes: Iterable[str], form: str, node: int, quality: int) -> None:
        folded = form.translate(self._fold_map)
        post = node << 4 | quality
        for scope in scopes:
            self.posts.setdefault(scope + folded, []).append(post)

    def hint(self, row: DivisionRow, node: int, sounds: dict[str, tuple[str, ...]]) -> None:
        """The keys of type-ahead for one division."""
        for key in set(hint_keys(row.name, row.level, self._fold_map, sounds)):
            self.posts.setdefault(key, []).append(node << 4)

    def sections(self, prefix: str = "") -> dict[str, bytes]:
        """The trie with what each key may mean, as sections of the index."""
        trie = Trie(self.posts.keys())
        ordered: list[list[int]] = [[]] * len(self.posts)
        for key, posts in self.posts.items():
            best: dict[int, int] = {}
            for post in sorted(posts, reverse=True):
                best[post >> 4] = post
            ordered[trie[key]] = sorted(best.values())
        starts, posts_all = array("I", [0]), array("I")
        for posts in ordered:
            posts_all.extend(posts)
            starts.append(len(posts_all))
        return {
            prefix + "trie": trie.tobytes(),
            prefix + "starts": starts.tobytes(),
            prefix + "posts": posts_all.tobytes(),
        }


def _scopes(tree: _Tree, node: int, level: int) -> tuple[list[str], list[str]]:
    """The scopes in which all the forms of a division are looked up, and those in which only its full name is."""
    root = chr(SCOPE_BASE)
    above = tree.above(node)
    inside = [tree.scope[n] for n in above if n in tree.scope]
    if level <= 3:
        return [root, *inside], [tree.scope[node]]
    if level == 4:
        return [tree.scope[n] for n in above if tree.rows[n].level in (2, 3)], [root, *inside[-1:]]
    return [next(tree.scope[n] for n in above if n in tree.scope)], []


def _add_names(tree: _Tree, keys: _Keys, progress: Callable[[int], None] | None) -> None:
    for node, row in enumerate(tree.rows):
        if is_filler(row.name):
            continue
        everywhere, only_full = _scopes(tree, node, row.level)
        for form, quality in names.forms_of(row.code, row.name, row.level).items():
            keys.add(everywhere, form, node, quality)
            if quality == names.FULL and (row.level < 4 or len(form) > 2):
                keys.add(only_full, form, node, quality)
        if row.level < 5:
            for form, quality in latin_forms(row.code, row.name, row.level).items():
                keys.add(everywhere[: 1 if row.level == 4 else None], form, node, quality)
        if progress and node % _STEP == 0:
            progress(node)


def _add_curated(tree: _Tree, keys: _Keys) -> None:
    """Old names, usual names, zones and Corps units. Entries whose division is not in the tree fall out."""
    number = {tree.rows[node].code: node for node in tree.upper}
    tables = (
        (renames.renames(), names.OTHER),
        (renames.usual_names(), names.SHORT),
        (renames.zone_names(), names.OTHER),
        (renames.special_names(), names.OTHER),
    )
    for table, quality in tables:
        for code, name in table:
            if (node := number.get(code)) is not None:
                everywhere, own = _scopes(tree, node, tree.rows[node].level)
                its = names.STEM if quality == names.SHORT and name[-1] not in "县州旗市区盟" else quality
                keys.add(everywhere + (own if tree.rows[node].level == 1 else []), name, node, its)
    for code, old in renames.moved():
        if code in number and old in number:
            row = tree.rows[number[code]]
            for form, quality in names.forms_of(row.code, row.name, row.level).items():
                keys.add([tree.scope[number[old]]], form, number[code], max(quality, names.SHORT))


def _add_zones(tree: _Tree, keys: _Keys) -> None:
    for city in tree.upper:
        if tree.rows[city].level != 2:
            continue
        coded = {
            tree.rows[node].code: node
            for node in tree.upper
            if tree.parents[node] == city and zones.is_coded_zone(tree.rows[node].code)
        }
        if not coded:
            continue
        above = [
            form
            for node in (city, tree.parents[city])
            for form in names.forms_of(tree.rows[node].code, tree.rows[node].name, tree.rows[node].level)
            if len(form) > 1
        ]
        for code, forms in zones.zone_forms({c: tree.rows[n].name for c, n in coded.items()}, above).items():
            for form, quality in forms.items():
                keys.add([tree.scope[city]], form, coded[code], quality)


def build_index(rows: Iterable[DivisionRow], path: Path, progress: Callable[[int], None] | None = None) -> None:
    """Write the index of a tree to `path`, atomically: a reader sees the old file or the new one, never half of it.

    `progress` is called now and then with the number of divisions done. Takes about half a minute and 1 GiB for the
    whole country.
    """
    gc_was_on = gc.isenabled()
    gc.disable()  # millions of small lists that all stay: looking for rubbish among them doubles the time
    try:
        _replace(path, pack(_sections(rows, progress)))
    finally:
        if gc_was_on:
            gc.enable()


def _sections(rows: Iterable[DivisionRow], progress: Callable[[int], None] | None) -> dict[str, bytes]:
    tree = _Tree(rows)
    fold_map = build_fold_map()
    keys = _Keys(fold_map)
    _add_names(tree, keys, progress)
    _add_curated(tree, keys)
    _add_zones(tree, keys)
    sounds = sound_table(char for row in tree.rows for char in row.name.translate(fold_map))
    hints, readings = _Keys(fold_map), read_table(sounds)
    for node, row in enumerate(tree.rows):
        if not is_filler(row.name):
            hints.hint(row, node, readings)
    name_at, blob = array("I", [0]), bytearray()
    for row in tree.rows:
        blob += row.name.encode()
        name_at.append(len(blob))
    if progress:
        progress(len(tree.rows))
    return {
        "codes": as_bytes("Q", (int(row.code) for row in tree.rows)),
        "parents": as_bytes("i", tree.parents),
        "levels": bytes(row.level for row in tree.rows),
        "ends": as_bytes("I", tree.ends),
        "name_at": name_at.tobytes(),
        "names": bytes(blob),
        "fold": json.dumps({str(point): char for point, char in fold_map.items()}).encode(),
        "sounds": sounds.encode(),
        "upper": json.dumps(tree.upper).encode(),
        **keys.sections(),
        **hints.sections("hint_"),
    }


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
