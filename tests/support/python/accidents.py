"""Accidents on a host of ssh_host.py, in the middle of a deploy and at a point of it that a test chooses: a call of the
engine's client, before, during or after it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ssh_host import ENGINES, SshHost

# The host's docker with a look at what it is called for. `accident/patterns`: a line a call, in order; at the last of them the
# accident happens. Nothing that is said there gets into what the client says.
WRAPPER = """\
#!/bin/sh
accident={accident}
if [ -s $accident/patterns ]; then
  pattern=$(head -n 1 $accident/patterns)
  case "{name} $*" in $pattern)
    sed -i 1d $accident/patterns
    if [ ! -s $accident/patterns ]; then
      touch $accident/happened
      case $(cat $accident/when) in
        before) sh $accident/action >/dev/null 2>&1 </dev/null ;;
        during) {itself} "$@" <&0 & sleep 0.3; sh $accident/action >/dev/null 2>&1 </dev/null; wait $!; exit ;;
        after) {itself} "$@"; code=$?; sh $accident/action >/dev/null 2>&1 </dev/null; exit $code ;;
      esac
    fi ;;
  esac
fi
exec {itself} "$@"
"""
CUT = """\
process=$$
while [ "$(cat /proc/$process/comm)" != sshd ]; do process=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$process/stat); done
kill -9 $process
"""
# Each file takes an inode, and the first all bytes.
FILL = """\
mkdir -p {folder}/filler
case {what} in
  bytes) dd if=/dev/zero of={folder}/filler/1 bs=64k; dd if=/dev/zero bs=512 >>{folder}/filler/1 ;;
  inodes) i=0; while : >{folder}/filler/$i; do i=$((i + 1)); done ;;
esac
exit 0
"""


@dataclass(frozen=True)
class Moment:
    """`calls`: patterns of sh(1) for "PROGRAM WORDS…", in this order; `when` tells where in the last of them."""

    name: str
    calls: tuple[str, ...]
    when: str = "before"


class Accidents:
    """Stands between a host's script and its engine."""

    def __init__(self, host: SshHost, unit: str):
        self.host, self.unit = host, unit
        self.folder = host.folder / "accident"
        self.folder.mkdir()
        self.sender = self.folder / "sender"
        for name in ("docker", "docker-compose"):
            program = host.programs / name
            if not program.exists():
                continue
            itself = host.programs / f"{name}-itself"
            program.rename(itself)
            host.add_program(name, WRAPPER.format(accident=self.folder, name=name, itself=itself))

    def prepare(self, kind: str, moment: Moment, where: Path | None = None) -> None:
        """`kind`: script, line, sender, engine, host (script and engine), bytes or inodes (of the file system `where`)."""
        kill_engine = f"{ENGINES} kill {self.unit}\n"
        action = {
            "script": "kill -9 0\n",
            "line": CUT,
            "sender": f"kill -9 $(cat {self.sender})\n",
            "engine": kill_engine + f"(sleep 1; exec {ENGINES} start {self.unit}) &\n",
            "host": kill_engine + "kill -9 0\n",
        }
        (self.folder / "action").write_text(action[kind] if kind in action else FILL.format(folder=where, what=kind))
        (self.folder / "when").write_text(moment.when)
        (self.folder / "happened").unlink(missing_ok=True)
        (self.folder / "patterns").write_text("".join(call + "\n" for call in moment.calls))

    def has_happened(self) -> bool:
        return (self.folder / "happened").exists()

    def disarm(self) -> None:
        (self.folder / "patterns").write_text("")

    def processes(self) -> tuple[list[int], list[int]]:
        """What runs there for ssh: the connections' own processes, and the scripts with what they called."""
        parents = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            parents[int(entry.name)] = (int(rest.split()[1]), name)
        connections, scripts = [], []
        for process in parents:
            up, line = process, []
            while up in parents and up != self.host.server.pid:
                line.append(up)
                up = parents[up][0]
            if up == self.host.server.pid and line:
                (connections if parents[process][1].startswith("sshd") else scripts).append(process)
        return connections, scripts

    def happen(self, kind: str, sender: subprocess.Popen) -> None:
        """Now, whatever goes on there."""
        if kind == "sender":
            sender.kill()
        if kind in ("engine", "host"):
            subprocess.run([str(ENGINES), "kill", self.unit], check=True, capture_output=True)
        if kind in ("script", "host", "line"):
            for process in self.processes()[kind != "line"]:
                try:
                    os.kill(process, 9)
                except ProcessLookupError:
                    pass  # it ended by itself
