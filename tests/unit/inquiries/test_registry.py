"""The registry's keys and marks find what a look at every pair finds; columns handled whole say what rows one by one would say."""

import random
from pathlib import Path

import numpy as np
import pytest

from checkpoint.inquiries.blocking import Blocker, Keys
from checkpoint.inquiries.chunks import Layout, read_table, valid_residents
from checkpoint.inquiries.documents import DocumentKind, check_digit, read_document
from checkpoint.inquiries.registry import MOST_PEOPLE, Registry


def keyed(blocks: list[str]) -> Keys:
    return Blocker(bytes(32)).of(blocks) | np.arange(len(blocks), dtype=np.uint64)


def by_every_pair(listed: list[str], people: list[str]) -> list[tuple[int, int]]:
    return sorted(
        (row, person) for row, one in enumerate(listed) for person, other in enumerate(people) if one == other
    )


@pytest.mark.parametrize("size", [0, 1, 7, 500])
@pytest.mark.parametrize("seed", range(4))
def test_the_registry_finds_what_every_pair_finds(size: int, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - synthetic people, not secrets
    people = [f"P{rng.randrange(400)}" for _ in range(size)]
    listed = [f"P{rng.randrange(800)}" for _ in range(600)]
    registry = Registry.of(np.sort(keyed(people)))
    assert registry.pairs(keyed(listed)) == by_every_pair(listed, people)
    assert registry.pairs(keyed([])) == []


def test_a_key_of_very_many_people_is_looked_at_for_the_first_of_them() -> None:
    people = np.sort(Blocker(bytes(32)).of(["P1"] * 300) | np.arange(300, dtype=np.uint64))
    assert Registry.of(people).pairs(keyed(["P1"])) == [(0, person) for person in range(MOST_PEOPLE)]


def test_a_registry_in_a_file_is_the_same(tmp_path: Path) -> None:
    for number, people in enumerate((["P1", "P2", "P2"], [])):
        registry = Registry.of(np.sort(keyed(people)))
        registry.write(tmp_path / str(number))
        mapped = Registry.mapped(str(tmp_path / str(number)))
        assert mapped.pairs(keyed(["P2", "P9", "P1"])) == by_every_pair(["P2", "P9", "P1"], people)


def test_nearly_nobody_else_passes_the_marks() -> None:
    people = np.sort(Blocker(bytes(32)).of([f"P{number}" for number in range(20_000)]))
    registry = Registry.of(people)
    strangers = Blocker(bytes(32)).of([f"Q{number}" for number in range(20_000)])
    assert registry.marked(people).all()
    assert registry.marked(strangers).mean() < 0.03


def _numbers(rng: random.Random) -> list[str]:
    """Numbers of 18 characters: valid ones, and ones with a wrong character, a wrong day, or none at all."""
    found = []
    for _ in range(3000):
        body = f"{rng.randrange(10**6):06d}{rng.randrange(2050):04d}{rng.randrange(16):02d}{rng.randrange(36):02d}"
        number = (body := body + f"{rng.randrange(1000):03d}") + check_digit(body)
        if rng.random() < 0.4:
            at = rng.randrange(18)
            number = number[:at] + rng.choice("0123456789X/:x ") + number[at + 1 :]
        found.append(number)
    return found


def test_whole_columns_of_documents_are_judged_as_single_ones_are() -> None:
    rng = random.Random(3)  # noqa: S311 - synthetic people, not secrets
    numbers = [*_numbers(rng), *(body + check_digit(body) for body in ("33040220000229001", "33040219990229001"))]
    rows = np.frombuffer("".join(numbers).encode(), np.uint8).reshape(-1, 18)
    judged = valid_residents(rows).tolist()
    assert 100 < sum(judged) < len(numbers) - 100
    for number, fits in zip(numbers, judged, strict=True):
        read = read_document(number) if number.isdigit() or (number[:17].isdigit() and number[17] == "X") else None
        one = read is not None and read.kind is DocumentKind.RESIDENT
        assert fits == (one and number[10:14] != "0229"), number


@pytest.mark.parametrize("around", [" ", "\t", "\r", "\u3000", "\ufeff", "'", '"', "=", "\r\n"])
def test_what_stands_around_a_cell_is_taken_away(around: str) -> None:
    layout = Layout("utf-8", ",", 3, {"name": 0, "document": 1, "phone": 2}, quoted=False)
    end = "\r\n" if around == "\r\n" else "\n"
    mark = around.strip("\r\n") or ("" if around == "\r\n" else around)
    plain, _lost = read_table("张三,330402199001010010,13800000000\n李四,,13900000000\n".encode(), layout)
    raw = f"{mark}张三{mark},{mark}330402199001010010{mark},13800000000{mark}{end}李四{mark},{mark},13900000000{end}"
    table, has_lost = read_table(raw.encode(), layout)
    assert table.rows() == plain.rows()
    assert not has_lost


def test_bytes_of_no_character_are_told() -> None:
    layout = Layout("utf-8", ",", 2, {"name": 0, "phone": 1})
    assert read_table(b"\xe5\xbc\xa0\xff,13800000000\n", layout)[1]
    assert read_table("张\ufffd,13800000000\n".encode(), layout)[1]
    assert not read_table("张三,13800000000\n".encode(), layout)[1]
    assert not read_table(b" \n", layout)[1]
