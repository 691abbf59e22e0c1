"""The rules of the house that no tool knows: sizes, words, addresses, documents, layers."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checkpoint.config import PROJECT_ROOT

LONGEST = 400
CODE = {".py", ".js", ".mjs"}
CODE_FOLDERS = ("checkpoint", "tests", "scripts")
UNREAD = {".png", ".jpg", ".webp", ".ico", ".xlsx", ".mo", ".woff2", ".wasm"}

# Assembled from halves, so that this file does not name what it forbids.
_HOSTS = "|".join(
    (
        "registry" + r"\.npm", "files" + r"\.pythonhosted", "pypi" + r"\.org/simple", "npm" + "mirror", "/opt/" + "pypi",
        "mirrors" + r"\.aliyun", "pypi\\.tuna" + r"\.tsinghua", "mirrors" + r"\.cloud\.tencent",
    )
)  # fmt: skip
_PATHS = "|".join((r"/root" + "/", r"/work" + "/", r"/home" + r"/\w+/", r"/Users" + r"/\w+/", "/" + "tmp/"))
FORBIDDEN = {
    "a registry's host": re.compile(_HOSTS),
    "a machine's path": re.compile(rf"(?<![\w.:}}])(?:{_PATHS})"),
    "unfinished work": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b"),
}


def tracked() -> list[Path]:
    """The files of the repository, or, in an unpacked archive, everything that is not made by the scripts."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT_ROOT, capture_output=True
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        made = {".venv", "node_modules", "instance", "__pycache__", "vendor", ".git"}
        names = [str(path.relative_to(PROJECT_ROOT)) for path in PROJECT_ROOT.rglob("*") if not made & set(path.parts)]
    return [PROJECT_ROOT / name for name in names if name and (PROJECT_ROOT / name).is_file()]


FILES = tracked()


def test_there_are_files() -> None:
    """Each guard below would pass on an empty list."""
    assert PROJECT_ROOT / "checkpoint" / "config.py" in FILES


def test_no_code_file_is_too_long() -> None:
    code = [path for path in FILES if path.suffix in CODE and path.relative_to(PROJECT_ROOT).parts[0] in CODE_FOLDERS]
    lengths = {str(path.relative_to(PROJECT_ROOT)): path.read_text("utf-8").count("\n") for path in code}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds_what_belongs_elsewhere(what: str) -> None:
    found = []
    for path in FILES:
        if path.suffix in UNREAD:
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(PROJECT_ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_lock_files_pin_by_hash_and_name_no_address() -> None:
    locks = sorted(PROJECT_ROOT.glob("requirements*.txt"))
    assert len(locks) >= 2
    for lock in locks:
        text = lock.read_text("utf-8")
        pins = re.findall(r"^[A-Za-z0-9][\w.\-]*==\S+", text, re.MULTILINE)
        assert pins
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(pins)
    assert '"resolved"' not in (PROJECT_ROOT / "package-lock.json").read_text("utf-8")


def settings_named_in(source: str) -> set[str]:
    """The environment variables that config.py reads: every text in capitals that stands in a call."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            names |= {text for text in texts if re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", text)}
    return names


def test_the_operations_guide_names_every_setting() -> None:
    names = settings_named_in((PROJECT_ROOT / "checkpoint" / "config.py").read_text("utf-8"))
    assert {"HOST", "PORT", "DATABASE_URL", "CHECKPOINT_DATA", "WEB_WORKERS"} <= names
    guide = (PROJECT_ROOT / "docs" / "operations.md").read_text("utf-8")
    assert sorted(name for name in names if f"`{name}" not in guide) == []


def test_the_rooms_are_in_order() -> None:
    """import-linter holds the layers of the design."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
