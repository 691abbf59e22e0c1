"""CPU time and memory of a server's processes, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

from checkpoint.errors import ConfigurationError

_TICK = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME, _PPID = 11, 12, 1  # fields of /proc/PID/stat counted from the one behind the name


@dataclass(frozen=True, slots=True)
class Workers:
    """The worker processes of one gunicorn master."""

    pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        """User and system time of all workers since they began."""
        return sum(int(fields[_UTIME]) + int(fields[_STIME]) for fields in map(_stat, self.pids)) / _TICK

    def own_kib(self) -> int:
        """Memory that the workers share with nobody, KiB."""
        total = 0
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    total += int(line.split()[1])
        return total


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def workers_of(master: int) -> Workers:
    """The children of a gunicorn master. ConfigurationError where there is no /proc."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise ConfigurationError("The benchmarks read CPU time and memory from /proc: run them on Linux.")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[_PPID]) == master:
                    found.append(int(entry.name))
            except (OSError, IndexError):
                continue  # it ended while we looked
    return Workers(tuple(sorted(found)))
