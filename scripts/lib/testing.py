"""Run the parts of the test suite one after another, then say how long each took and name everything that failed."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import postgres
from install import BIN, ROOT
from say import CannotGoOn, say, stop

TOOLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lint": (("ruff", "check", "."), ("ruff", "format", "--check", ".")),
    "types": (("mypy",), ("mypy", "scripts/lib")),
    "layers": (("lint-imports",),),
    "advisories": (("python", "scripts/lib/advisories.py"),),
}
# The parts that are pytest's, each shared by two processes; the browser part comes by itself, since a busy machine slows its pages.
SUITES = ("unit", "services", "web", "browser", "guards")
WORKERS = 2
NEEDS_DATABASE = frozenset({"services", "web", "browser", "guards", "full"})
PARTS = (*TOOLS, *SUITES)
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)")
_CLOSING = re.compile(r"^=*\s*(?:\d+ \w+(?:, )?)+ in [\d.]+s.*$|^=*\s*no tests ran in")
_NAMED = re.compile(r"^(?:FAILED|ERROR) (\S.*)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Outcome:
    """What became of one part."""

    part: str
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def stream(command: Sequence[str], environment: dict[str, str]) -> tuple[int, list[str]]:
    """Run a command, showing its output as it comes; returns its status and its lines without colours."""
    lines = []
    with subprocess.Popen(  # noqa: S603 - the commands are ours
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(_COLOUR.sub("", line.rstrip("\n")))
    return process.returncode, lines


def run_tools(part: str, environment: dict[str, str]) -> Outcome:
    """A part that is one or two tools."""
    outcome = Outcome(part)
    for name, *arguments in TOOLS[part]:
        status, _ = stream([str(BIN / name), *arguments], environment)
        if status:
            outcome.failures.append(" ".join((name, *arguments)))
    return outcome


def run_suite(part: str, environment: dict[str, str], extra: Sequence[str]) -> Outcome:
    """A part that is a folder of tests, or several joined by `+`; `full` is what is marked slow, of all folders."""
    outcome = Outcome(part)
    names = part.split("+")
    folders, marked = ["tests"], "slow"
    if part != "full":
        folders, marked = [f"tests/{name}" for name in names], "not slow"
    shared = ["-n", str(WORKERS), "--dist", "worksteal"]
    colour = "--color=yes" if sys.stdout.isatty() else "--color=no"
    command = [str(BIN / "pytest"), *folders, "-q", "-m", marked, colour]
    status, lines = stream([*command, *shared, *extra], environment)
    outcome.failures += [match[1] for line in lines if (match := _NAMED.match(line))]
    for line in lines:
        if _CLOSING.match(line):
            outcome.counts = Counter()
            for number, word in _COUNT.findall(line):
                outcome.counts["errors" if word == "error" else "warnings" if word == "warning" else word] += int(
                    number
                )
    if status and not outcome.failures:
        meaning = "found no tests" if status == 5 else f"ended with status {status}"
        outcome.failures.append(f"pytest {' '.join(folders)} {meaning}")
    return outcome


def together(wanted: Sequence[str]) -> list[str]:
    """The parts to run, with those that share the processors as one, so that no processor waits for the last test of each."""
    shared = [part for part in wanted if part in SUITES and part != "browser"]
    if len(shared) < 2:
        return list(wanted)
    return ["+".join(shared) if part == shared[0] else part for part in wanted if part not in shared[1:]]


def find_chromium() -> str | None:
    """The program that the browser tests drive."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    apps = (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    )
    given = os.environ.get("CHROMIUM", "").strip()
    found = (
        [given]
        if given
        else [path for name in names if (path := shutil.which(name))] + [a for a in apps if Path(a).exists()]
    )
    return found[0] if found else None


def _has_chinese_font() -> bool:
    asked = shutil.which("fc-list")
    if asked is None:
        return sys.platform == "darwin"
    return bool(subprocess.run([asked, ":lang=zh"], capture_output=True, text=True, check=False).stdout.strip())  # noqa: S603


def ensure_browser() -> str:
    """Chromium and a Chinese font, installed where that is permitted; CannotGoOn in a sentence where it is not."""
    found = find_chromium()
    missing = ([] if found else ["chromium"]) + ([] if _has_chinese_font() else ["fonts-noto-cjk"])
    if missing:
        apt = shutil.which("apt-get")
        words = " ".join(missing)
        if os.geteuid() != 0 or apt is None:
            if found:
                say(f"Chinese text will be boxes in the pictures: install {words}.")
                return found
            raise CannotGoOn(
                f"The browser tests need {words}: install it (Debian: apt-get install {words}), or set CHROMIUM."
            )
        say(f"Installing {words}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in ([apt, "update"], [apt, "install", "-y", "--no-install-recommends", *missing]):
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                raise CannotGoOn(f"{words} could not be installed: {done.stderr.strip()[-300:]}")
        found = find_chromium()
    if found is None:
        raise CannotGoOn("Chromium is installed but its program cannot be found; set CHROMIUM to its path.")
    return found


def run_part(part: str, environment: dict[str, str], extra: Sequence[str]) -> Outcome:
    """One part with its title and its time."""
    print(f"\n── {part} ──", flush=True)
    begun = time.monotonic()
    if part in TOOLS:
        outcome = run_tools(part, environment)
    else:
        try:
            if part == "browser":
                environment = {**environment, "CHROMIUM": ensure_browser()}
            outcome = run_suite(part, environment, extra)
        except CannotGoOn as error:
            outcome = Outcome(part, failures=[str(error)])
    outcome.seconds = time.monotonic() - begun
    return outcome


def closing_line(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The sum of the suites in the form of pytest's own last line."""
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.counts)
        if outcome.failures and not (outcome.counts["failed"] or outcome.counts["errors"]):
            total["failed"] += len(outcome.failures)
    order = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")
    words = ", ".join(f"{total[word]} {word}" for word in order if total[word]) or "no tests ran"
    minutes = (
        f" ({int(seconds) // 3600}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d})" if seconds >= 60 else ""
    )
    return f" {words} in {seconds:.2f}s{minutes} ".center(80, "=")


def report(outcomes: Sequence[Outcome], seconds: float) -> None:
    """The table of times, what failed by name, and the closing line."""
    print(f"\n{'part':<26}{'seconds':>9}  result")
    for outcome in outcomes:
        tests = ", ".join(f"{number} {word}" for word, number in outcome.counts.items())
        print(f"{outcome.part:<26}{outcome.seconds:>9.1f}  {'FAILED' if outcome.failures else 'ok'}  {tests}".rstrip())
    print(f"{'together':<26}{seconds:>9.1f}")
    for outcome in outcomes:
        for failure in outcome.failures:
            print(f"FAILED {outcome.part}: {failure}")
    print(closing_line(outcomes, seconds), flush=True)


def main() -> None:
    """Run what was asked for; the status is 0 if all of it passed."""
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{' '.join(PARTS)} (default: these), full (all, and slow ones)"
    )
    parts: list[str] = parser.parse_args(arguments[:cut]).parts
    unknown = sorted(set(parts) - {*PARTS, "full"})
    if unknown:
        stop(f"there is no part {unknown[0]!r}; the parts are {' '.join(PARTS)} and full.")
    wanted = [*PARTS, "full"] if "full" in parts else [part for part in PARTS if part in parts] or list(PARTS)
    signal.signal(
        signal.SIGTERM, lambda number, _frame: sys.exit(128 + number)
    )  # unwinds: a server of our own must end
    begun = time.monotonic()
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    with ExitStack() as stack:
        if NEEDS_DATABASE & set(wanted):
            try:
                environment["TEST_DATABASE_URL"] = stack.enter_context(postgres.for_tests())
            except CannotGoOn as error:
                stop(str(error))
        try:
            outcomes = [run_part(part, environment, arguments[cut + 1 :]) for part in together(wanted)]
        except KeyboardInterrupt:
            stop("interrupted; nothing was decided.")
    report(outcomes, time.monotonic() - begun)
    sys.exit(any(outcome.failures for outcome in outcomes))


if __name__ == "__main__":
    main()
