"""The words of the review queue: how two details agree, and what that says."""

from flask_babel.speaklater import LazyString

from checkpoint.words import _, lazy

FIELDS: dict[str, LazyString] = {
    "name": lazy("Name"),
    "document": lazy("Document"),
    "phone": lazy("Phone"),
    "birth": lazy("Birth date"),
    "plate": lazy("Plate"),
}
_NAMES: dict[str, LazyString] = {
    "same": lazy("the same name"),
    "variant": lazy("the same name in another writing"),
    "swapped": lazy("the same characters in another order"),
    "homophone": lazy("sounds the same"),
    "pinyin": lazy("the same sound in letters"),
    "near_sound": lazy("sounds nearly the same"),
    "shorter": lazy("one character is missing"),
    "near_letters": lazy("one letter differs"),
    "other_character": lazy("one character differs"),
    "surname": lazy("only the surname is the same"),
    "different": lazy("another name"),
}
_DOCUMENTS: dict[str, LazyString] = {
    "same": lazy("the same number"),
    "same_15": lazy("the same number in its old form of 15 digits"),
    "one_wrong": lazy("one slip apart"),
    "masked_fits": lazy("fits as far as it can be read"),
    "masked_place": lazy("county and birth date fit, the rest is masked"),
    "near_other": lazy("one character differs"),
    "different_other": lazy("another number; passports are renewed with a new one"),
    "different_wrong": lazy("another number, and one of the two is wrong"),
    "contradicts": lazy("two valid numbers of two people"),
    "unrelated": lazy("of another kind, cannot be compared"),
}
_OTHERS: dict[str, LazyString] = {
    "same": lazy("the same"),
    "fits": lazy("fits as far as it can be read"),
    "one_wrong": lazy("one digit differs"),
    "different": lazy("different"),
}
LEVELS: dict[str, dict[str, LazyString]] = {
    "name": _NAMES,
    "document": _DOCUMENTS,
    "phone": _OTHERS,
    "birth": _OTHERS,
    "plate": _OTHERS,
}
# How the difference looks at a glance: agrees, nearly, differs.
_AGREES = frozenset({"same", "variant", "pinyin", "homophone", "same_15", "masked_fits", "fits"})
_DIFFERS = frozenset({"different", "surname", "contradicts", "different_wrong", "different_other"})
PURPOSES: dict[str, LazyString] = {
    "review": lazy("To compare the two"),
    "call": lazy("To call and ask"),
    "request": lazy("To answer those who asked"),
}
DECISIONS: dict[str, LazyString] = {"same": lazy("the same person"), "other": lazy("not the same person")}
ORDERS: dict[str, LazyString] = {"oldest": lazy("Longest waiting first"), "strongest": lazy("Most likely first")}
_MUCH, _SOME = 2.5, 0.5
_RARE, _UNCOMMON, _ORDINARY = 6.0, 4.5, 3.5  # powers of ten


def tone(level: str) -> str:
    """`agree`, `near`, `differ`, or `silent` when one side says nothing."""
    if level in ("missing", "unrelated"):
        return "silent"
    return "agree" if level in _AGREES else "differ" if level in _DIFFERS else "near"


def level_text(field: str, level: str, sides: int) -> str:
    """How the two sides of a field agree; `sides` is on how many of them it is given."""
    known = LEVELS[field].get(level)
    if known is not None:
        return str(known)
    if sides == 2:
        return _("masked or unreadable, cannot be compared")
    return _("given on one side only") if sides else _("given on neither side")


def weight_text(weight: float) -> str:
    """What a natural logarithm of odds says, compared with other pairs that the search brings up."""
    if abs(weight) < _SOME:
        return _("hardly changes it")
    if weight > 0:
        return _("much more likely") if weight >= _MUCH else _("more likely")
    return _("much less likely") if weight <= -_MUCH else _("less likely")


def rarity_text(rarity: float) -> str:
    """How rare a name is; one in ten to this power bears it."""
    if rarity >= _RARE:
        return _("a very rare name")
    if rarity >= _UNCOMMON:
        return _("a rare name")
    return _("an ordinary name") if rarity >= _ORDINARY else _("a common name")
