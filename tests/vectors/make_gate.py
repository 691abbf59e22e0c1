"""Writes gate.json: what a tablet with no network must say, row by row, for Python and for the browser.

    python -m tests.vectors.make_gate

The expectations are written here by hand, from the design and from the policy's figures; nothing of the program is imported. Tables
list their cases with the answer beside each. Figures: red from 80, yellow from 40; high county 50, middle 30, low 20, another
province 10, positive test 100, symptoms 45, anything unknown 40; a test holds 48 h, a list 48 h, a snapshot 12 h, a clock 15 min.

File: `snapshots` by name (null: the tablet has none), and `rows` of `{name, judge: pass|declaration, given, want}`, where
`given.snapshot` is a name.
"""

import json
from pathlib import Path

from tests.vectors import approvals, declarations, passes
from tests.vectors.vocabulary import make_snapshots, rows, snapshots

TABLES = (
    passes.unreadable_and_unknown,
    passes.revoked_and_expired,
    passes.tests_of_a_pass,
    passes.raised_tiers,
    passes.counties_of_a_pass,
    passes.other_policies,
    passes.flags_of_a_pass,
    approvals.kept,
    approvals.broken,
    approvals.days_and_hours,
    approvals.several,
    approvals.doubts,
    approvals.problems,
    declarations.lists_snapshots_clocks,
    declarations.stays_of_a_declaration,
    declarations.places_of_a_declaration,
    declarations.people_of_a_declaration,
)


def written() -> str:
    """The file, a row to a line."""
    rows.clear()
    make_snapshots()
    for table in TABLES:
        table()
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    used = {row["given"]["snapshot"] for row in rows}
    assert used == set(snapshots), used ^ set(snapshots)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    kept = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in snapshots.items()]
    return '{"snapshots": {\n' + ",\n".join(kept) + '\n},\n"rows": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    (Path(__file__).parent / "gate.json").write_text(written())
