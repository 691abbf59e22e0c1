"""The scripts are programs, not a package: their folder is put on the path as their own start does."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "lib"
sys.path.insert(0, str(SCRIPTS))
