"""A daemon in mount and process namespaces of its own, and what is needed to find, join and end it again.

The namespaces live as long as their first process does: when that ends, the kernel ends everything else in them and
their mounts are gone. So ending one process by its id, which is checked against its start time, ends an engine with
all its containers, and nothing else.
"""

import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

# Becomes process 1 of the namespaces. $1 root, $2 state folder, the rest is the daemon. The machine's own root moves to
# /host; /tmp is shared. A chroot would not do: `docker exec` and health checks enter the root of a mount namespace, and
# in a container that was made inside a chroot that is the machine's root, not the container's.
ENTER = r"""
set -e
root=$1 state=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
umount "$root/sys/fs/cgroup/unified" 2>/dev/null || true   # crun refuses a hybrid cgroup tree
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount --bind /tmp "$root/tmp"
mount --bind "$state" "$root/state"
mount --bind "$state/containers" "$root/var/lib/containers"
cd "$root"
pivot_root . host
exec chroot . /bin/sh -c '
"$@" &
daemon=$!
trap "kill -TERM $daemon" TERM
while kill -0 $daemon 2>/dev/null; do wait $daemon || true; done' init "$@"
"""

PRIVATE_MOUNTS = Path(__file__).resolve().parents[1] / "private_mounts"

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/state/home",
    "LANG": "C.UTF-8",
    "TMPDIR": "/state/tmp",
    "CONTAINERS_CONF": "/state/containers.conf",
    "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
    "DOCKER_HOST": "unix:///state/api.sock",
}


def _stat(pid):
    """(state letter, parent's id, start time in ticks) of a process, or None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return fields[0], int(fields[1]), int(fields[19])


def _boot():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Space:
    """The namespaces of one engine. `state` is its folder; process.json in it says which process is the first."""

    def __init__(self, state):
        self.state = state
        self._record = state / "process.json"

    def first(self):
        """The machine's id of the namespaces' first process, or None if they are gone."""
        try:
            record = json.loads(self._record.read_text())
            pid = record["pid"]
        except (OSError, ValueError, KeyError):
            return None
        found = _stat(pid)
        same = found is not None and found[0] != "Z" and found[2] == record["started"] and record["boot"] == _boot()
        return pid if same else None

    def start(self, root, command):
        """Starts the command; returns at once. Its output goes to the log in the state folder."""
        with (self.state / "log").open("ab") as log:
            outer = subprocess.Popen(
                [str(PRIVATE_MOUNTS), "unshare", "--pid", "--fork", "--kill-child", "--", "/bin/sh", "-c", ENTER, "enter", str(root), str(self.state), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=ENVIRONMENT, start_new_session=True,
            )  # fmt: skip
        while (first := self._child(outer.pid)) is None:
            if outer.poll() is not None:
                return
            time.sleep(0.01)
        found = _stat(first)
        if found is not None:
            self._record.write_text(json.dumps({"pid": first, "started": found[2], "boot": _boot()}))

    @staticmethod
    def _child(parent):
        for name in os.listdir("/proc"):
            if name.isdigit() and (found := _stat(name)) is not None and found[1] == parent:
                return int(name)
        return None

    def end(self, how, patience):
        """Sends a signal to the first process, waits that many seconds, then kills it and with it all the others."""
        first = self.first()
        if first is None:
            return
        if how is not signal.SIGKILL:
            os.kill(first, how)
            self._wait(patience)
        if self.first() is not None:
            os.kill(first, signal.SIGKILL)
            self._wait(10)
        self._record.unlink(missing_ok=True)

    def _wait(self, seconds):
        limit = time.monotonic() + seconds
        while self.first() is not None and time.monotonic() < limit:
            time.sleep(0.05)

    def run(self, command):
        """Replaces this process by a command inside the namespaces, in the same working folder below /host."""
        first = self.first()
        environment = {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")}
        inside = f"cd {shlex.quote('/host' + os.getcwd())} 2>/dev/null || cd /; exec \"$@\""
        arguments = ["nsenter", f"--target={first}", "--mount", "--pid", "--",
                     "/bin/sh", "-c", inside, "run", *command]  # fmt: skip
        os.execvpe("nsenter", arguments, environment)

    def script(self, command):
        """A shell script that runs a command inside the namespaces, with the script's arguments, and starts quickly."""
        variables = " ".join(shlex.quote(f"{name}={value}") for name, value in ENVIRONMENT.items())
        return (
            "#!/bin/sh\n"
            f"first=$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p' {shlex.quote(str(self._record))})\n"
            f'exec nsenter --target="$first" --mount --pid -- /usr/bin/env -i {variables} {shlex.join(command)} "$@"\n'
        )
