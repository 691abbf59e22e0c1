"""Ask whether a package that we pin has a known weakness: pip-audit for Python, npm audit for the front end.

Both ask a service on the network. Where it does not answer for any package, this says so and passes: a closed network must not
stop the tests. What it names where it does answer fails them.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from install import BIN, ROOT
from say import say

LOCKS = ("requirements.txt", "requirements-postgres.txt")
PIP_AUDIT = (str(BIN / "pip-audit"), "--disable-pip", "--require-hashes", "--progress-spinner", "off", "-f", "json")
NPM_AUDIT = ("npm", "audit", "--json", "--package-lock-only", "--omit=dev")
SECONDS = 120


def asked(command: Sequence[str], folder: Path = ROOT) -> Any:
    """What a tool answers as JSON on its standard output; None when it answers nothing that can be read."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
        return json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def weak_in_python(answer: Any) -> list[str] | None:
    """The weaknesses that pip-audit names; None when it could ask about no package."""
    packages = answer.get("dependencies", []) if isinstance(answer, Mapping) else []
    known = [package for package in packages if "vulns" in package]
    if not known:
        return None
    return [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no release'}"
        for package in known
        for weakness in package["vulns"]
    ]


def weak_in_front_end(answer: Any) -> list[str] | None:
    """The packages in which npm audit knows a weakness; None when it could not ask."""
    if not isinstance(answer, Mapping) or "vulnerabilities" not in answer:
        return None
    return [f"{name}: {found['severity']}" for name, found in sorted(answer["vulnerabilities"].items())]


def main() -> None:
    """Ask for both; the status is 1 if anything is named."""
    with ThreadPoolExecutor() as pool:
        python = [(lock, pool.submit(asked, [*PIP_AUDIT, "-r", lock])) for lock in LOCKS]
        front_end = pool.submit(asked, NPM_AUDIT)
        answers = [(lock, weak_in_python(answer.result())) for lock, answer in python]
        answers.append(("package-lock.json", weak_in_front_end(front_end.result())))
    findings: list[str] = []
    for name, weak in answers:
        if weak is None:
            say(f"{name}: not asked, the service of known weaknesses does not answer from here")
        else:
            say(f"{name}: {len(weak)} known weaknesses")
            findings += weak
    for finding in findings:
        print(finding)
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
