"""Aliases laid over the index, and the process-wide index."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checkpoint.regions import AliasBook, IndexUnusable, RegionIndex, configure, default_index, resolve, resolve_many

BOOK = AliasBook(
    [
        ("老码头片区", "330482101000"),
        ("平湖开发区", "330482002000"),
        ("没有的", "999999000000"),
        ("老碼頭", "330482001000"),
    ]
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("平湖开发区", "330482002000"),
        ("平湖开发区18号", "330482002000"),
        ("平湖老码头片区", "330482101000"),
        ("浙江省平湖市老碼頭片區3号", "330482101000"),
        ("老码头", "330482001000"),
        ("上海市老码头片区", "310000000000"),
        ("没有的", None),
        ("平湖市", "330482000000"),
    ],
)
def test_an_alias_wins_where_it_may_stand(index: RegionIndex, text: str, code: str | None) -> None:
    assert resolve(text, index=index, aliases=BOOK).code == code


def test_an_alias_is_named_in_the_explanation(index: RegionIndex) -> None:
    answer = resolve("平湖老码头片区3号", index=index, aliases=BOOK)
    assert [(span.how, span.start, span.end) for span in answer.explained] == [("stem", 0, 2), ("alias", 2, 7)]
    assert answer.rest == "3号"


def test_without_the_book_nothing_changes(index: RegionIndex) -> None:
    assert resolve("老码头", index=index).code is None
    assert resolve("老码头", index=index, aliases=AliasBook()).code is None


def test_books_are_values() -> None:
    assert AliasBook([("a", "1"), ("b", "2")]) == AliasBook([("b", "2"), ("a", "1"), ("a", "1")])
    assert len(BOOK) == 4
    assert hash(AliasBook()) == hash(AliasBook([]))


def test_the_configured_index_is_opened_once(index_file: Path, tmp_path: Path) -> None:
    configure(tmp_path / "none.idx")
    with pytest.raises(IndexUnusable):
        default_index()
    configure(index_file)
    assert default_index() is default_index()
    assert resolve("平湖市").code == "330482000000"


def test_threads_may_share_an_index(index: RegionIndex) -> None:
    texts = ["浙江省加兴市平胡市新苍镇", "陕西省西安市高新区", "henan qixian", "鼓楼区", "新仓镇，平湖市，浙江省"] * 20
    alone = resolve_many(texts, index=index)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: resolve(text, index=index), texts))
    assert together == alone
