"""What a sealed name, document, phone or address may be opened for, by what it belongs to: closed lists. Pure; the words are in web."""

PURPOSES: dict[str, tuple[str, ...]] = {
    "registration": ("call", "visit", "identify", "transfer", "request"),
    "approval": ("call", "identify", "visit"),
    "inquiry_hit": ("review", "call", "request"),
    "carried": ("mend", "call"),
    "company": ("call", "visit", "identify"),
}
