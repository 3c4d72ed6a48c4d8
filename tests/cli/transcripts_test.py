#!/usr/bin/env python3
"""Runs the sessions in tests/cli/transcripts and compares what a user would see, to the letter.

A transcript holds lines `$ command`, each followed by what it prints (standard error and output as they come) and, unless
it ends with 0, by `[exit N]`. `# project NAME` on the first line makes the small project of that name first. Folders that differ
from run to run are written as [DIR]. After a wanted change: transcripts_test.py --accept rewrites the files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

TRANSCRIPTS = Path(__file__).resolve().parent / "transcripts"
# Whatever the machine has.
NO_ENGINES = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "CONTAINER_HOST": "unix:///nowhere/podman.sock"}
ACCEPT = False


class Transcripts(fixtures.SystemTest):
    def shown(self, text: str) -> str:
        text = text.replace(str(fixtures.debian_base()), "[BASE]").replace(str(self.folder), "[DIR]")
        # The base is what Debian serves on the day.
        text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:[DIGEST]", text)
        text = re.sub(r"\b[0-9a-f]{12}\b", "[ID]", text)
        text = re.sub(r"\b\d+(\.\d+)? MB", "[N] MB", text)
        text = re.sub(r"^(roots|total) +\d+ +", r"\1 [FILES] ", text, flags=re.MULTILINE)
        text = re.sub(r"\bin \d+(\.\d+)? s\b", "in [TIME]", text)
        return text if text.endswith("\n") or not text else text + "\n"

    def replay(self, text: str) -> str:
        lines = text.splitlines()
        where = self.folder
        out = []
        if lines and lines[0].startswith("# project "):
            where = self.small_project(lines[0].removeprefix("# project "))
            out.append(lines[0])
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        shutil.copy(fixtures.binary(), bin_folder / "veneer")
        for line in lines:
            if not line.startswith("$ "):
                continue
            result = subprocess.run(["bash", "-c", line[2:]], cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                    env=self.environment(PATH=f"{bin_folder}:{os.environ['PATH']}", **NO_ENGINES), stdin=subprocess.DEVNULL)
            out.append(line)
            shown = self.shown(result.stdout)
            if shown:
                out.append(shown.removesuffix("\n"))
            if result.returncode:
                out.append(f"[exit {result.returncode}]")
        return "\n".join(out) + "\n"


def add(path: Path) -> None:
    def test(self):
        expected = path.read_text()
        found = self.replay(expected)
        if ACCEPT:
            path.write_text(found)
        else:
            self.maxDiff = None
            self.assertEqual(found, expected)
    setattr(Transcripts, f"test_{path.stem}", test)


for transcript in sorted(TRANSCRIPTS.glob("*.txt")):
    add(transcript)

if __name__ == "__main__":
    if "--accept" in sys.argv:
        ACCEPT = True
        sys.argv.remove("--accept")
    fixtures.main()
