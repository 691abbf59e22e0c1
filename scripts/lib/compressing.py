"""Copy the static files to the folder that nginx serves, each text with a .gz and a .br beside it.

The same files give the same bytes whenever it runs. A file takes its place whole or not at all, and what the program
no longer has goes; so this may run while nginx serves the folder.
"""

import argparse
import gzip
import os
import sys
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from say import CannotGoOn, say, stop

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "checkpoint" / "static"
MARK = ".checkpoint-static"
TEXTS = frozenset({".css", ".js", ".mjs", ".json", ".svg", ".wasm", ".webmanifest"})
SMALLEST = 256  # bytes: below that a compressed file saves no packet


def compressed(content: bytes) -> dict[str, bytes]:
    """What to lay beside a text: suffix → bytes, where it is smaller than the text."""
    made = {".gz": gzip.compress(content, compresslevel=9, mtime=0), ".br": bytes(brotli.compress(content, quality=11))}
    return {suffix: small for suffix, small in made.items() if len(small) < len(content)}


def place(path: Path, content: bytes, modified: float) -> None:
    """Write a file that is whole or not there, readable by everybody."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(content)
    temporary.chmod(0o644)
    os.utime(temporary, (modified, modified))
    temporary.replace(path)


def ensure_folder(target: Path, source: Path) -> None:
    """The folder, made if need be; CannotGoOn if it holds what is not ours, since what we do not know is removed from it."""
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise CannotGoOn(f"{target} and {source} lie one in the other; choose another folder.")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise CannotGoOn(f"{target} holds other files; choose an empty folder.")
    target.mkdir(parents=True, exist_ok=True)
    (target / MARK).touch()


def publish(source: Path, target: Path) -> tuple[int, int, int]:
    """Make `target` hold the files of `source` and their compressed forms; how many were written anew, of how many, and removed."""
    ensure_folder(target, source)
    wanted, written, files = {target / MARK}, 0, sorted(path for path in source.rglob("*") if path.is_file())
    for path in files:
        there, content = target / path.relative_to(source), path.read_bytes()
        wanted |= {there, *(there.with_name(there.name + suffix) for suffix in (".gz", ".br"))}
        is_text = path.suffix in TEXTS and len(content) >= SMALLEST
        is_whole = not is_text or there.with_name(there.name + ".br").is_file()  # it is written last
        if is_whole and there.is_file() and there.read_bytes() == content:
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        small = compressed(content) if is_text else {}
        for suffix in (".gz", ".br"):
            beside = there.with_name(there.name + suffix)
            beside.unlink(missing_ok=True)  # of the old content: never served beside the new one
        place(there, content, path.stat().st_mtime)
        for suffix, made in small.items():
            place(there.with_name(there.name + suffix), made, path.stat().st_mtime)
        written += 1
    gone = [path for path in target.rglob("*") if path.is_file() and path not in wanted]
    for path in gone:
        path.unlink()
    for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
        folder.chmod(0o755)
        if not any(folder.iterdir()):
            folder.rmdir()
    return written, len(files), len(gone)


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="scripts/compress-static", description=__doc__)
    parser.add_argument("target", type=Path, help="the folder that nginx serves as /static/")
    target = parser.parse_args().target.expanduser().resolve()
    if not (STATIC / "vendor").is_dir():
        raise CannotGoOn("The front-end files are missing: run scripts/install first.")
    written, files, gone = publish(STATIC, target)
    say(f"{target}: {written} of {files} files written anew, {gone} removed")


if __name__ == "__main__":
    try:
        main()
    except CannotGoOn as reason:
        stop(str(reason))
    except OSError as reason:
        sys.exit(f"checkpoint: {reason.filename}: {reason.strerror}")
