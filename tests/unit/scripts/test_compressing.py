"""The files that nginx serves: whole, the same every time, and nothing besides."""

import gzip
import os
from pathlib import Path

import brotli
import pytest
from compressing import MARK, publish
from say import CannotGoOn

LONG = b"body { color: black }\n" * 50


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "css").mkdir(parents=True)
    (folder / "css" / "base.css").write_bytes(LONG)
    (folder / "short.js").write_bytes(b"let a;")
    (folder / "picture.png").write_bytes(LONG)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_texts_lie_there_in_three_forms_and_the_rest_as_it_is(source: Path, tmp_path: Path) -> None:
    assert publish(source, tmp_path / "served") == (3, 3, 0)
    found = contents(tmp_path / "served")
    assert set(found) == {MARK, "css/base.css", "css/base.css.gz", "css/base.css.br", "short.js", "picture.png"}
    assert gzip.decompress(found["css/base.css.gz"]) == brotli.decompress(found["css/base.css.br"]) == LONG


def test_the_same_files_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    publish(source, tmp_path / "one")
    for path in source.rglob("*.*"):
        os.utime(path, (1, 1))
    publish(source, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_only_what_changed_is_written_and_what_is_gone_goes(source: Path, tmp_path: Path) -> None:
    publish(source, tmp_path / "served")
    (source / "short.js").unlink()
    (source / "css" / "base.css").write_bytes(b"a{}")
    assert publish(source, tmp_path / "served") == (1, 2, 1)
    assert contents(tmp_path / "served") == {MARK: b"", "css/base.css": b"a{}", "picture.png": LONG}
    assert publish(source, tmp_path / "served") == (0, 2, 0)


@pytest.mark.parametrize("name", ["full", "static/css", "."])
def test_a_folder_of_somebody_else_is_left_alone(source: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(CannotGoOn):
        publish(source, (tmp_path / name).resolve())
    assert contents(tmp_path) == before
