"""The three levels of a listed area, and their order."""

import enum

_RANK = {"low": 1, "middle": 2, "high": 3}


class Level(enum.StrEnum):
    """高、中、低风险. Compares by danger: ``Level.HIGH > Level.MIDDLE > Level.LOW``."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"

    @property
    def rank(self) -> int:
        """3 for high, 2 for middle, 1 for low."""
        return _RANK[self.value]

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        return self.rank < other.rank

    def __le__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        return self.rank <= other.rank

    def __gt__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        return self.rank > other.rank

    def __ge__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        return self.rank >= other.rank
