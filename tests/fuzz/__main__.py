"""`scripts/fuzz parsers` and `scripts/fuzz routes`: made inputs, by seed; ends with 1 when anything crashed."""

import json
import sys
import time

import click
from flask import Flask
from hypothesis.errors import FlakyStrategyDefinition
from rich.console import Console
from rich.table import Table

from checkpoint.benchmarks import report
from tests.fuzz import parsers, routes, stateful
from tests.fuzz.world import world

SEED = 20221202
STORIES_AT_ONCE = 25


@click.group()
def main() -> None:
    """Give everything that strangers can reach made inputs, and tell what crashes."""


@main.command("parsers")
@click.option("--inputs", type=click.IntRange(1), default=100_000, show_default=True, help="Inputs over all parsers.")
@click.option("--seed", type=int, default=SEED, show_default=True)
@click.option("--only", default="", help="Parsers whose name holds this.")
@click.option("--from", "first", type=click.IntRange(0), default=0, help="Number of the first input of each parser.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
def run_parsers(inputs: int, seed: int, only: str, first: int, as_json: bool) -> None:
    """Tokens, codes, envelopes, lists, workbooks, texts, numbers, pictures, bodies."""
    outcomes = parsers.run(inputs, seed, only=only, first=first)
    if not outcomes:
        sys.exit("checkpoint: no parser of this name")
    found = parsers.figures(outcomes)
    if as_json:
        where = report.processor()
        print(json.dumps({"name": "fuzz parsers", "commit": report.commit(), "machine": where, "figures": found}))
    else:
        _show(outcomes)
    for outcome in outcomes:
        for finding in outcome.findings:
            print(finding, file=sys.stderr)
    sys.exit(1 if found["crashes"] or found["hangs"] else 0)


@main.command("routes")
@click.option("--requests", type=click.IntRange(1), default=5000, show_default=True, help="Requests over all routes.")
@click.option("--seed", type=int, default=SEED, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
def run_routes(requests: int, seed: int, as_json: bool) -> None:
    """Every page, form, upload and call, by each role, by a tablet and by nobody; then the API as stories along its links."""
    with world() as (app, log):
        run = routes.forms_and_addresses(app, log, requests, seed)
        stories(run, app, max(5, requests // 100), seed)
    for place, what in run.failed.items():
        print(f"{what}\n    {place}", file=sys.stderr)
    found = run.figures()
    if as_json:
        where = report.processor()
        print(json.dumps({"name": "fuzz routes", "commit": report.commit(), "machine": where, "figures": found}))
    else:
        print("  ".join(f"{name} {value:,}" for name, value in found.items()))
    sys.exit(1 if run.failures else 0)


def stories(run: routes.Run, app: Flask, scenarios: int, seed: int) -> None:
    """Add the requests of some stories to a run; what schemathesis found in some of them counts as one failure.

    They are told a few at a time: Hypothesis remembers how its dice led on, and with what is stored the same dice lead elsewhere.
    """
    story = stateful.Story()
    began = time.monotonic()
    for first in range(0, scenarios, STORIES_AT_ONCE):
        try:
            stateful.run(app, min(STORIES_AT_ONCE, scenarios - first), seed=seed + first, story=story)
        except FlakyStrategyDefinition:
            continue  # the dice of this handful led elsewhere the second time: what it asked until then counts
        except (AssertionError, BaseExceptionGroup) as found:
            run.failures += 1
            run.failed[f"a story from {seed + first}"] = str(found)[:4000]
    run.seconds += time.monotonic() - began
    run.requests += story.requests
    run.statuses.update(story.statuses)


def _show(outcomes: list[parsers.Outcome]) -> None:
    table = Table()
    for heading in (
        "Parser",
        "Inputs",
        "Accepted",
        "Refused",
        "Crashes",
        "Hangs",
        "Slowest ms",
        "at",
        "MiB",
        "Inputs/s",
    ):
        table.add_column(heading, justify="left" if heading == "Parser" else "right")
    for one in outcomes:
        numbers = (one.inputs, one.accepted, one.refused, one.crashes, one.hangs)
        slowest, memory, rate = f"{one.slowest * 1000:.1f}", str(one.memory >> 20), f"{one.inputs / one.seconds:,.0f}"
        table.add_row(one.name, *(f"{number:,}" for number in numbers), slowest, str(one.slowest_at), memory, rate)
    Console(width=120).print(table)
    print("  ".join(f"{name} {value:,}" for name, value in parsers.figures(outcomes).items()))


if __name__ == "__main__":
    main()
