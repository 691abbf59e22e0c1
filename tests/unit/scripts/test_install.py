"""An interrupted or changed part is done again; a finished one is left alone."""

import subprocess
import sys
from pathlib import Path

import install
import pytest
from say import CannotGoOn


def test_a_stamp_fits_only_what_it_was_made_from(tmp_path: Path) -> None:
    stamp = install.Stamp(tmp_path / "stamp")
    assert not stamp.fits("one")
    with stamp.renewed("one"):
        assert not stamp.fits("one"), "while the work goes on there is no stamp"
    assert stamp.fits("one")
    assert not stamp.fits("two")


def test_broken_off_work_leaves_no_stamp(tmp_path: Path) -> None:
    stamp = install.Stamp(tmp_path / "stamp")
    with stamp.renewed("one"):
        pass

    def break_off() -> None:
        with stamp.renewed("two"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert not stamp.fits("one")
    assert not stamp.fits("two")


def test_a_digest_follows_content_and_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    first = install.digest(one, two)
    assert install.digest(one, two) == first
    assert install.digest(two, one) != first
    two.write_text("c")
    assert install.digest(one, two) != first
    assert install.digest(one, tmp_path / "missing") != first


def test_no_network_is_told_apart_from_other_failures() -> None:
    offline = "import sys; sys.exit('Temporary failure in name resolution')"
    with pytest.raises(CannotGoOn, match="no network"):
        install.run([sys.executable, "-c", offline], "The Python packages")
    with pytest.raises(CannotGoOn, match="hash mismatch"):
        install.run([sys.executable, "-c", "import sys; sys.exit('hash mismatch')"], "The Python packages")


def test_front_end_files_are_copied_and_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules, vendor = tmp_path / "node_modules", tmp_path / "vendor"
    monkeypatch.setattr(install, "MODULES", modules)
    monkeypatch.setattr(install, "VENDOR", vendor)
    for source, _ in install.FRONT_END:
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_text(source)
    install.ensure_vendor()
    for source, target in install.FRONT_END:
        assert (vendor / target).read_text() == source
    source, target = install.FRONT_END[0]
    (modules / source).write_text("a newer version")
    install.ensure_vendor()
    assert (vendor / target).read_text() == "a newer version"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("old 3.9", "only 3.9 was found"), ("without-venv 3.11", "has no venv module")],
)
def test_an_unusable_python_gives_one_sentence(answer: str, sentence: str, tmp_path: Path) -> None:
    """A machine whose only Python is too old, or came without venv."""
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    script = (install.ROOT / "scripts" / "install").read_text()
    begin, end = script.index("candidates=("), script.index(")\n", script.index("candidates=("))
    changed = tmp_path / "scripts" / "install"
    changed.parent.mkdir()
    changed.write_text(f'{script[:begin]}candidates=("{python}"{script[end:]}')
    done = subprocess.run(["bash", str(changed)], capture_output=True, text=True)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
