"""What a screen may show of a person without an unmasking permission. Pure."""

_COMPOUND_SURNAMES = frozenset(
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 夏侯 诸葛 尉迟 公羊 赫连 皇甫 宇文 长孙 慕容 司徒 司空 令狐 轩辕".split()  # noqa: SIM905
)


def mask_name(name: str) -> str:
    """The surname and a star for each further character: 张三丰 → 张**, 欧阳锋 → 欧阳*, Ann Lee → A** L**."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii() or " " in name:
        return " ".join(part[0] + "**" for part in name.split())
    keep = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    if len(name) == 1:
        return "*"
    return name[:keep] + "*" * (len(name) - keep)


def mask_document(number: str) -> str:
    """The last four characters of a document: enough to tell two people in one car apart, not to find one."""
    return "*" * max(len(number) - 4, 4) + number[-4:] if len(number) > 4 else "****"


def mask_phone(phone: str) -> str:
    """The first three and last four digits of a phone: 138****5678."""
    digits = phone.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "****" + digits[-2:]


def mask_plate(plate: str) -> str:
    """A plate without its middle: 浙F1***8."""
    return plate[:3] + "***" + plate[-1:] if len(plate) > 4 else "***"
