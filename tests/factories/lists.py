"""Risk lists in force, made of a few entries."""

from datetime import datetime

from checkpoint.risk.importing import import_list
from checkpoint.risk.levels import Level
from checkpoint.risk.lists import Entry, ParsedList
from checkpoint.risk.models import RiskList
from checkpoint.risk.publishing import publish
from tests.factories import NOW, people

FENGJING = Entry(Level.HIGH, "上海市", "上海市", "金山区", "枫泾镇白牛路151弄12号楼")
ZHUJING = Entry(Level.MIDDLE, "上海市", "上海市", "金山区", "朱泾镇罗星路100号")
JIASHAN_LOW = Entry(Level.LOW, "浙江省", "嘉兴市", "嘉善县", "魏塘街道其他区域")


def in_force(*entries: Entry, at: datetime = NOW, source: str = "test") -> RiskList:
    """A published list that names the entries, confirmed at `at`."""
    parsed = ParsedList(source, at, tuple(entries) or (FENGJING,))
    stored = import_list(parsed, actor=people.operator(), at=at)
    return publish(stored.id, actor=people.operator(), at=at)
