#!/usr/bin/env python3
"""Projects of tests/conformance/projects that say "answers: PORT", really built, with wheels from the index, and really
started: as the image's user, with its environment and command, in namespaces of their own without any network. They are
asked at an address of the container that is not its loopback, so one that binds loopback does not answer.

By default a few, with VENEER_TEST_ALL=1 all. Ends with a table: right (it starts what is expected, and answers), stopped (the
build names the lines to paste), told (it does not answer, and the build said so), wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

CASES = fixtures.SOURCE / "tests" / "conformance" / "projects"
FEW = ["dockerfile_loopback", "fastapi_main", "flask_gunicorn", "main_and_bot"]
ADDRESS = "10.9.8.7"

# $1: the root; $2: ADDRESS; $3: port; then folder and command, whose environment this is.
START = r"""
root=$1 address=$2 port=$3 probe=$4
shift 4
ip link set lo up
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start  # as engines have it
ip address add "$address/32" dev lo
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
chroot --userspec=1000:1000 --groups= "$root" /usr/bin/env -i "$@" >&2 &
exec python3 -c "$probe" "$address" "$port" $!
"""

# Prints the status of the first answer, or why there is none.
PROBE = r"""
import http.client, os, sys, time
address, port, process = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
end = time.monotonic() + float(os.environ["PATIENCE"])
while time.monotonic() < end:
    try:
        connection = http.client.HTTPConnection(address, port, timeout=10)
        connection.request("GET", "/")
        print(connection.getresponse().status)
        break
    except (OSError, http.client.HTTPException):
        pass
    if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        print("ended")
        break
    time.sleep(0.2)
else:
    print("silent")
"""


def read_case(name: str) -> tuple[dict, dict]:
    """Its lines by key, and its files (name -> text, executable)."""
    keys: dict[str, list[str]] = {}
    files: dict[str, list] = {}
    current = None
    for line in (CASES / f"{name}.txt").read_text().split("\n"):
        if line.startswith("--- "):
            words = line.split()
            current = files.setdefault(words[1], ["", len(words) > 2])
        elif current is None:
            key, _, value = line.partition(":")
            keys.setdefault(key, []).append(value.strip())
        else:
            current[0] += line + "\n"
    return keys, files


class OfCases(fixtures.SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.work = fixtures.test_cache() / "starts" / cls.__name__
        shutil.rmtree(cls.work, ignore_errors=True)
        cls.work.mkdir(parents=True)
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.base = cls.work / "base"
        cls.base.mkdir()
        layers = cls.layers_of(fixtures.debian_base())
        cls.of_base = len(layers)
        for layer in layers:
            subprocess.run(["tar", "-xzf", layer, "-C", cls.base], check=True)

    def setUp(self):
        super().setUp()
        self.cache = fixtures.test_cache() / "starts-cache"  # wheels come over the network once

    @staticmethod
    def layers_of(layout: Path) -> list[Path]:
        blobs = layout / "blobs" / "sha256"
        index = json.loads((layout / "index.json").read_text())
        manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text())
        return [blobs / layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]

    def make(self, name: str) -> tuple[dict, Path]:
        keys, files = read_case(name)
        project = self.folder / name / "shop"
        project.mkdir(parents=True)
        wanted = ", ".join(f'"{one}"' for one in keys.get("lock", [""])[0].split())
        files.setdefault("pyproject.toml", ['[project]\nname = "shop"\nversion = "1"\n', False])
        text = files["pyproject.toml"][0]
        if "dependencies" not in text:
            text = text.replace("[project]\n", f"[project]\ndependencies = [{wanted}]\n")
        if "requires-python" not in text:
            text = text.replace("[project]\n", '[project]\nrequires-python = ">=3.11"\n')
        files["pyproject.toml"][0] = text
        for path, (content, executable) in files.items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(content)
            (project / path).chmod(0o755 if executable else 0o644)
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
        fixtures.git(project, "init", "-q", "-b", "main")
        (project / ".gitignore").write_text(".veneer/\n")
        fixtures.commit_all(project, "First")
        return keys, project

    def answer(self, layout: Path, port: str, patience: int) -> tuple[str, str]:
        """What the container answers at the port, and the end of what it printed."""
        root = layout.parent / "root"
        subprocess.run(["cp", "-al", self.base, root], check=True)
        for layer in self.layers_of(layout)[self.of_base:]:
            subprocess.run(["tar", "-xzf", layer, "-C", root], check=True)
        for folder in ("proc", "dev", "tmp"):
            (root / folder).mkdir(exist_ok=True)
        blobs = layout / "blobs" / "sha256"
        index = json.loads((layout / "index.json").read_text())
        manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text())
        config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())["config"]
        words = (config.get("Entrypoint") or []) + (config.get("Cmd") or [])
        done = subprocess.run(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", START, "sh", root, ADDRESS, port, PROBE,
             *config["Env"], "sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", config["WorkingDir"], *words],
            capture_output=True, text=True, timeout=600, env={**os.environ, "PATIENCE": str(patience)})
        shutil.rmtree(root, ignore_errors=True)
        return done.stdout.strip(), done.stderr[-2000:]

    def verdict(self, name: str) -> tuple[str, str]:
        keys, project = self.make(name)
        output = self.folder / name / "layout"
        built = self.veneer("build", "--json", "--base", f"oci:{fixtures.debian_base()}", "-o", f"oci:{output}:it", cwd=project, code=None)
        if "stops" in keys:
            missing = [words for words in keys["stops"][0].split("|") if words.strip() and json.dumps(words.split()) not in built.stderr]
            return ("stopped", "") if built.returncode == 3 and not missing else ("wrong", built.stderr[-2000:])
        if built.returncode != 0:
            return "wrong", built.stderr[-2000:]
        start = json.loads(built.stdout)["start"]
        words = " ".join([*start["entrypoint"], *start["cmd"]])
        is_told = "nothing outside the container reaches it" in built.stderr
        status, printed = self.answer(output, keys["answers"][0], 5 if is_told else 120)
        if is_told:
            return ("told", words) if status == "silent" else ("wrong", f"{words}: {status} though nothing should reach it")
        return ("right", f"{status}  {words}") if status.isdigit() else ("wrong", f"{words}: {status}\n{printed}")

    def table(self, names: list[str]) -> None:
        counts = dict.fromkeys(("right", "stopped", "told", "wrong"), 0)
        for name in names:
            verdict, text = self.verdict(name)
            counts[verdict] += 1
            print(f"{verdict:8} {name:28} {text}", flush=True)
        print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()), flush=True)
        self.assertEqual(counts["wrong"], 0)


class Starts(OfCases):
    def test_a_few(self):
        self.table(FEW)


if os.environ.get("VENEER_TEST_ALL"):

    class StartsOfAll(OfCases):
        def test_all(self):
            names = sorted(path.stem for path in CASES.glob("*.txt"))
            self.table([name for name in names if name not in FEW and "answers" in read_case(name)[0]])


if __name__ == "__main__":
    fixtures.main()
