#!/usr/bin/env python3
"""What is wrong with a command line is said before anything is done: no host, engine or package index is contacted, nothing is built or written."""

import os
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

HOST = "ssh://plant"
REF = "registry.example/team/shop:1"
# A row: the arguments, and what the error must speak of. IMAGE stands for an archive that is there, API for an engine that listens.
BUILD = [
    (["--base", "Nonsense:x"], "lower case"),
    (["--platform", "solaris/sparc"], "solaris"),
    (["--jobs", "0"], "--jobs"),
    (["--jobs", "many"], "--jobs"),
    (["--jobs", "257"], "--jobs"),
    (["--python", "3.x"], "--python"),
    (["--dependency-layers", "0"], "--dependency-layers"),
    (["--dependency-layers", "126"], "--dependency-layers"),
    (["--byte-code", "--no-byte-code"], "--no-byte-code"),
    (["--nonsense"], "--nonsense"),
    (["superfluous"], "superfluous"),
    (["--extra"], "--extra"),
]
SSH = [
    (["--engine", "containerd"], "containerd"),
    (["--engine", ""], "engine"),
    (["--host-folder", "relative"], "--host-folder"),
    (["--host-folder", ""], "--host-folder"),
    (["--patience", "soon"], "--patience"),
    (["--patience", "0"], "--patience"),
    (["--patience", "-1"], "--patience"),
    (["--patience", "99999999999999"], "--patience"),
    (["--as", "UPPER CASE"], "UPPER CASE"),
    (["--nonsense"], "--nonsense"),
]
ROLLOUT = [
    (["--compose", "compose.yaml"], "--compose"),
    (["--strategy", "big-bang"], "--strategy"),
    (["--container", "shop", "--restart-with", "true"], "--restart-with"),
    (["--container", "shop", "--compose", "/srv/compose.yaml"], "--compose"),
    (["--container", "shop", "--service", "web"], "--service"),
    (["--restart-with", "true", "--service", "web"], "--service"),
    (["--restart-with", "true", "--strategy", "start-first"], "start-first"),
    (["--container", "shop", "--strategy", "start-first"], "start-first"),
    (["--wait", "a minute"], "--wait"),
    (["--wait", "99999999"], "--wait"),
    (["--settle", "x"], "--settle"),
    (["--keep", "0"], "--keep"),
    (["--keep", "all"], "--keep"),
    (["--keep-failed", "-1"], "--keep-failed"),
]
DEPLOY = [
    (["--restart-with", "true", "--before", "migrate"], "--before"),
    (["--container", "shop", "--after", "migrate"], "--after"),
    (["--line", "fast"], "fast"),
    (["--max-bytes", "much"], "much"),
    (["--max-seconds", "10"], "--line"),
    (["--max-seconds", "x", "--line", "1Mbit"], "--max-seconds"),
    (["--canary", "one"], "--canary"),
    (["--parallel", "0"], "--parallel"),
    (["--hosts", "HOSTS-FILE"], "no host"),
    ([HOST], "twice"),
    (["ssh://user:secret@plant"], "password"),
    (["unix:///run/docker.sock"], "ssh://"),
    (["one:1", "two:2"], "two images"),
    (["bad//name"], "bad//name"),
    (["IMAGE"], "--as"),
]
TABLE = (
    [(["build", *row], what) for row, what in BUILD]
    + [(["build", "-o", place], what) for place, what in (("oci:", "oci:"), ("shop:1", "shop:1"), ("docker-archive:x.tar:UP CASE", "UP CASE"))]
    + [(["plan", *row], what) for row, what in [*BUILD, (["--line", "fast"], "fast")]]
    + [(["deploy", HOST, *row], what) for row, what in SSH + ROLLOUT + DEPLOY]
    + [(["init", *row], what) for row, what in ((["--rebuild", "daily"], "daily"), (["--check", "--dry-run"], "--dry-run"), (["extra"], "extra"))]
    + [(["deploy"], "host")]
    + [(["rollback", HOST, *row], what) for row, what in SSH + ROLLOUT + [(["--to", "before"], "--to"), (["ssh://other"], "other")]]
    + [(["rollback", "API"], "ssh"), (["rollback"], "HOST"), (["rollback", "ssh://-oProxyCommand=x"], "ssh")]
    + [(["history", HOST, *row], what) for row, what in SSH]
    + [(["history", "API"], "ssh"), (["history", "plant"], "ssh")]
    + [(["ship", HOST, *row], what) for row, what in [*SSH, (["--line", "fast"], "fast"), (["--helper", "/run/docker.sock"], "--helper"),
                                                      (["ssh://other"], "two hosts"), (["IMAGE"], "--as"), (["a:1", "b:2"], "two images"),
                                                      (["--to-file", "x.tar"], "--for"), (["--for", "IMAGE"], "--to-file")]]
    + [(["ship", HOST, "--as", "a:1", "--to-file", "upgrade.tar", "--for", "IMAGE"], "file")]
    + [(["ship", "IMAGE", "--as", "a:1", "--to-file", "upgrade.tar", "--for", "IMAGE", "--dry-run"], "--dry-run")]
    + [(["ship", "IMAGE", "--as", "a:1", "API", *row], what) for row, what in (
        (["--engine", "docker"], "--engine"), (["--sudo"], "--sudo"), (["--host-folder", "/x"], "--host-folder"), (["--patience", "5"], "--patience"),
        (["--helper", "relative"], "--helper"), (["--line", "1"], "1"))]
    + [(["pull", *row], what) for row, what in ((["IMAGE"], "--as"), (["IMAGE", "--as", "a b"], "a b"), ([], "IMAGE"), (["a:1", "b:2"], "b:2"))]
    + [(["push", *row], what) for row, what in (
        ([], "registry"), (["a:1", REF, "b:2"], "b:2"), (["oci:/x"], "oci:/x"), (["bad//name", REF], "bad//name"), (["team/UPPER:1"], "UPPER"),
        ([REF + "@sha256:" + "0" * 64], "digest"), ([REF, "--also-tag", "other.example/team/shop:2"], "--also-tag"),
        ([REF, "--also-tag", "registry.example/team/other:2"], "--also-tag"), ([REF, "--also-tag", "a b"], "a b"),
        ([REF, "--mount-from", "other.example/base"], "--mount-from"), ([REF, "--mount-from", "base", "--no-mount"], "--no-mount"),
        ([REF, "--max-bytes", "much"], "much"), ([REF, "--line", "fast"], "fast"), ([REF, "--patience", "0"], "--patience"))]
    + [(["build", *row], what) for row, what in (
        (["--also-tag", "latest"], "--push"), (["--no-mount"], "--push"), (["--push", "bad//name"], "bad//name"),
        (["--push", REF, "--also-tag", "a b"], "a b"), (["--push", "docker:shop:1"], "docker:shop:1"))]
    + [(["receive", *row], what) for row, what in (([], "FILE"), (["IMAGE", "--as", "a b"], "a b"), (["a.tar", "b.tar"], "b.tar"))]
    + [(["compare", *row], what) for row, what in (([], "OLD"), (["IMAGE", "IMAGE", "--line", "x"], "x"), (["IMAGE", "IMAGE", "--max-bytes", "x"], "x"),
                                                   (["bad//name", "IMAGE"], "bad//name"))]
    + [([command, *row], what) for command in ("inspect", "check") for row, what in ((["bad//name"], "bad//name"), (["oci:"], "oci:"), (["a:1", "b:2"], "b:2"))]
    + [(["select", *row], what) for row, what in (
        ([], "LOCK"), (["uv.lock"], "--python"), (["uv.lock", "--python", "2.7"], "2.7"), (["uv.lock", "--python", "3.12", "--libc", "bionic"], "bionic"),
        (["uv.lock", "--python", "3.12", "--platform", "x"], "x"), (["uv.lock", "--batch", "q"], "--batch"),
        (["uv.lock", "--python", "3.12", "--package", "a", "--all-packages"], "--all-packages"),
        (["uv.lock", "--python", "3.12", "--only-group", "a", "--group", "b"], "--only-group"))]
    + [(["wheel", *row], what) for row, what in (([], "FILE"), (["x.whl", "--prefix", "relative"], "--prefix"), (["x.whl", "--python", "two"], "two"))]
    + [(["sbom", *row], what) for row, what in ((["bad//name"], "bad//name"), (["a:1", "b:2"], "b:2"), (["--platform", "linux/amd64"], "--platform"))]
    + [(["packages", *row], what) for row, what in ((["a;b"], "a;b"), (["--suite", "A B"], "A B"), (["apt", "--platform", "x"], "x"))]
    + [(["replay", *row], what) for row, what in (
        (["--tags", "--commits"], "--commits"), (["--records", "x", "--python", "3.12"], "--python"), (["--python", "two"], "two"),
        (["--platform", "x"], "x"), (["--cap", "0"], "--cap"))]
    + [(["cache", *row], what) for row, what in ((["burn"], "burn"), (["prune", "--days", "x"], "--days"), (["prune", "--days", "40000"], "--days"),
                                                 (["show", "--days", "3"], "--days"))]
    + [(["base", *row], what) for row, what in (([], "ACTION"), (["burn"], "burn"), (["update", "--locked"], "--locked"),
                                                (["update", "--no-lock-file"], "--no-lock-file"), (["update", "--line", "x"], "x"))]
    + [([command, "--no-lock-file", option], option) for command in ("build", "plan") for option in ("--locked", "--verify-base")]
    + [(["completion", *row], what) for row, what in (([], "SHELL"), (["csh"], "csh"))]
    + [(["help", "nonsense"], "nonsense"), (["nonsense"], "nonsense"), ([], "COMMAND")]
)


class Usage(fixtures.SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.project = self.folder / "project"
        self.project.mkdir()
        (self.project / "main.py").write_text("print('hi')\n")
        (self.project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n')
        (self.project / "uv.lock").write_text('version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "shop"\nversion = "1.0"\n'
                                              'source = { virtual = "." }\n')
        (self.project / "hosts").write_text("plant.example\n")
        (self.project / "saved.tar").write_bytes(b"\0" * 1024)
        self.contacts = self.folder / "contacts"
        self.contacts.mkdir()
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("ssh", "uv", "mmdebstrap", "git", "docker", "podman"):
            (programs / name).write_text(f'#!/bin/sh\necho "$*" >>{self.contacts}/{name}\nexit 1\n')
            (programs / name).chmod(0o755)
        self.path = f"{programs}:{os.environ['PATH']}"
        self.socket = self.folder / "engine.sock"
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.socket))
        self.server.listen()
        threading.Thread(target=self.listen, daemon=True).start()
        self.addCleanup(self.server.close)

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            (self.contacts / "engine").touch()
            connection.close()

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file() or path.is_symlink())

    def test_nothing_is_done_when_the_line_is_wrong(self):
        given = {"IMAGE": "docker-archive:saved.tar", "API": f"unix://{self.socket}", "HOSTS-FILE": "hosts"}
        for arguments, speaks_of in TABLE:
            line = [given.get(argument, argument) for argument in arguments]
            before = self.left()
            with self.subTest(" ".join(arguments)):
                done = self.veneer(*line, cwd=self.project, code=2, PATH=self.path, DOCKER_HOST=f"unix://{self.socket}")
                self.assertIn(speaks_of, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(self.left(), before)

    def test_what_is_right_does_contact_the_host(self):
        """The traps of this test do see contacts."""
        self.veneer("history", HOST, "--as", "shop:latest", cwd=self.project, code=5, PATH=self.path)
        self.assertTrue((self.contacts / "ssh").exists())
        self.veneer("receive", "saved.tar", "--as", "a:1", cwd=self.project, code=3, PATH=self.path, DOCKER_HOST=f"unix://{self.socket}")

    def test_every_command_is_in_the_table(self):
        overview = self.veneer("help").stdout
        commands = [line.split()[0] for line in overview.split("Commands:")[1].splitlines() if line.startswith("  ") and line[2] != " "]
        self.assertEqual(sorted({arguments[0] for arguments, _ in TABLE if arguments} - {"nonsense"}), sorted(commands))


if __name__ == "__main__":
    fixtures.main()
