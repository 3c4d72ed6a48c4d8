#!/usr/bin/env python3
"""What the demo and the tests do with git comes out the same for everyone: without an identity, with settings that get in
the way, under any umask, locale and time zone. The git parts of both run here in such surroundings, beside ordinary ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

# argv: the checkout, an empty folder. Prints what came out.
DO = """\
import importlib.machinery, importlib.util, json, os, stat, subprocess, sys, tempfile
from pathlib import Path
source, folder = map(Path, sys.argv[1:])
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("demo", str(source / "tools" / "demo" / "demo"))
demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", loader))
loader.exec_module(demo)
import fixtures, shapes

history = folder / "history"
result = {"history": demo.run([sys.executable, "-B", source / "tools/demo/make_history.py", history, "--reserved-hosts"])}
(history / "README.md").write_text("changed\\n")
(history / "new.py").write_text("pass\\n")
demo.run(["git", "add", "new.py"], cwd=history)
demo.run(["git", "commit", "--quiet", "--all", "--message", "Move it"], cwd=history)
result["modes"] = {path.name: stat.filemode(path.lstat().st_mode) for path in sorted(history.iterdir())}
result["clean"] = demo.run(["git", "status", "--porcelain"], cwd=history)
result["tree"] = demo.run(["git", "rev-parse", "HEAD^{tree}"], cwd=history)

project = folder / "project"
project.mkdir()
(project / "lines.txt").write_bytes(b"one\\ntwo\\r\\n")
(project / "main.py").write_text("pass\\n")
(project / "run.sh").write_text("#!/bin/sh\\n")
(project / "run.sh").chmod(0o755)
fixtures.git(project, "init", "-q")
fixtures.commit_all(project, "First")
fixtures.git(project, "tag", "v1")
fixtures.git(folder, "clone", "-q", f"file://{project}", "clone")
result["project"] = fixtures.git(folder / "clone", "log", "--format=%H %an %s", "--decorate=no")
result["files"] = fixtures.git(folder / "clone", "ls-files", "--stage")
result["lines"] = (folder / "clone" / "lines.txt").read_bytes().decode()
shapes.git_source(folder / "shape")
result["shape"] = fixtures.git(folder / "shape.repository", "rev-parse", "HEAD")
test = fixtures.SystemTest()
test.setUp()
seen = subprocess.run(["sh", "-c", "git config --list | cut -d= -f1; umask; date -d @0 +%H; locale 2>/dev/null | grep LC_ALL"], cwd=test.folder,
                      env=test.environment(), capture_output=True, text=True)
result["program sees"] = seen.stdout + seen.stderr
test.doCleanups()
print(json.dumps(result))
"""

HOSTILE = """\
[commit]
	gpgSign = true
[tag]
	gpgSign = true
[core]
	autocrlf = true
	fileMode = false
	hooksPath = {hooks}
[init]
	defaultBranch = x
[user]
	useConfigOnly = true
[url "https://nowhere.example/"]
	insteadOf = file://
[status]
	showUntrackedFiles = no
"""


class Surroundings(fixtures.SystemTest):
    def homes(self) -> dict[str, Path]:
        empty, hostile, hooks = (self.folder / name for name in ("empty", "hostile", "hooks"))
        for folder in (empty, hostile / ".config" / "git", hooks):
            folder.mkdir(parents=True)
        for name in ("pre-commit", "commit-msg", "post-checkout"):
            (hooks / name).write_text("#!/bin/sh\nexit 1\n")
            (hooks / name).chmod(0o755)
        (hostile / ".gitconfig").write_text(HOSTILE.format(hooks=hooks))
        (hostile / ".config" / "git" / "ignore").write_text("*.py\n*.lock\n*.toml\n")
        (hostile / ".config" / "git" / "attributes").write_text("* text eol=crlf\n")
        return {"empty": empty, "hostile": hostile}

    def come_out(self, name: str, home: Path, umask: int, **environment: str) -> dict:
        folder = self.folder / name
        folder.mkdir()
        support = [fixtures.SOURCE / "tests" / "support" / "python", fixtures.SOURCE / "tests" / "conformance"]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "LC_", "LANG", "XDG_")) and key != "TZ"}
        done = subprocess.run([sys.executable, "-c", DO, fixtures.SOURCE, folder], umask=umask, capture_output=True, text=True,
                              env=kept | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, support))} | environment)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")
        return json.loads(done.stdout)

    def test_everyone_gets_the_same(self):
        homes = self.homes()
        expected = self.come_out("plain", homes["empty"], 0o022)
        self.assertEqual(expected["clean"], "")
        self.assertIn("100755", expected["files"])
        self.assertIn("main.py", expected["files"])
        self.assertEqual(expected["lines"], "one\ntwo\r\n")
        others = {
            "no-identity": (homes["empty"], 0o077, {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"}),
            "settings": (homes["hostile"], 0o000, {"LC_ALL": "C", "TZ": "America/St_Johns"}),
            "settings-of-xdg": (homes["empty"], 0o027, {"XDG_CONFIG_HOME": str(homes["hostile"] / ".config"), "LANG": "de_DE.ISO-8859-1"}),
            "variables": (homes["empty"], 0o022, {"GIT_DIR": "/nowhere", "GIT_AUTHOR_DATE": "0 +0300", "GIT_COMMITTER_NAME": "B",
                                                  "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "true"}),
        }
        for name, (home, umask, environment) in others.items():
            with self.subTest(name):
                self.assertEqual(self.come_out(name, home, umask, **environment), expected)


if __name__ == "__main__":
    fixtures.main()
