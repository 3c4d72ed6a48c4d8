#!/usr/bin/env python3
"""The same commit gives the same image: in another folder, as another user, under another umask, time zone, locale,
number of threads, and a day later. Parents that the tool makes up carry nothing of the build."""

import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

OTHER_USER = 12345


class Determinism(fixtures.SystemTest):
    def digests(self, built: dict) -> dict:
        return {"manifest": built["manifest"], "config": built["config"],
                "layers": [(layer["diff_id"], layer["digest"]) for layer in built["layers"]]}

    def build(self, project: Path, cache: str, wrapper: list[str] = [], umask: int = 0o022, arguments: list[str] = [],
              uid: int = 0, **environment: str) -> dict:
        """Builds with an empty cache of its own."""
        home = self.folder / cache
        home.mkdir()
        if uid:
            os.chmod(self.folder, 0o755)
            for path in [home, project, *project.rglob("*")]:
                os.chown(path, uid, uid, follow_symlinks=False)
            # The programs of the user who runs the tests may lie where nobody else can read.
            programs = self.folder / "programs"
            programs.mkdir()
            for program in (shutil.which("uv"), fixtures.binary()):
                shutil.copy(program, programs)
            environment["PATH"] = f"{programs}:{os.environ['PATH']}"
            wrapper = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *wrapper]
        variables = self.environment(HOME=str(home), XDG_CACHE_HOME=str(home / "cache"), UV_CACHE_DIR=str(home / "uv"),
                                     TMPDIR=str(home), **environment)
        program = str(programs / "veneer") if uid else fixtures.binary()
        result = subprocess.run([*wrapper, program, "build", "--json", *arguments], cwd=project, umask=umask,
                                capture_output=True, text=True, env=variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_same_commit_same_image(self):
        base = self.folder / "base"  # where every user can read it
        shutil.copytree(fixtures.debian_base(), base)
        first = self.small_project(base=base)
        second = self.folder / "elsewhere" / "deeper"
        shutil.copytree(first, second, symlinks=True)
        expected = self.digests(self.build(first, "one", arguments=["--jobs", "1"]))
        runs = {
            "other folder, umask, time zone, locale, threads": dict(
                umask=0o077, arguments=["--jobs", "8"], TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8"),
            "four hundred days later": dict(wrapper=["faketime", "-f", "+400d"]),
            "with SOURCE_DATE_EPOCH set": dict(SOURCE_DATE_EPOCH="1"),
            "another user": dict(uid=OTHER_USER, umask=0o002),
        }
        for number, (name, options) in enumerate(runs.items()):
            with self.subTest(name):
                self.assertEqual(self.digests(self.build(second, f"other{number}", **options)), expected)

    def test_every_made_up_folder_has_fixed_mode_owner_and_time(self):
        project = self.small_project()
        self.build(project, "one", umask=0o077)
        tree = self.json("inspect", "--tree", "--json", "shop:1.0.0", cwd=project)
        folders = {entry["path"]: entry for entry in tree["entries"] if entry["type"] == "folder"}
        for path in ("app", "app/.venv", "app/.venv/lib", "app/.venv/lib/python3.11/site-packages/part0"):
            entry = folders[path]
            self.assertEqual((entry["mode"], entry["uid"], entry["gid"]), ("0755", 0, 0), path)
        self.assertEqual((folders["app/data"]["uid"], folders["app/data"]["gid"]), (1000, 1000))

    def test_the_projects_version_changes_the_app_layer_only(self):
        project = self.small_project()
        first = self.json("build", "--json", cwd=project)
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace('version = "1.0.0"', 'version = "1.0.1"'))
        subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True, env=self.environment())
        fixtures.commit_all(project, "Release 1.0.1", time=fixtures.FIRST_COMMIT_TIME + 60)
        second = self.json("build", "--json", cwd=project)
        changed = [new["title"] for old, new in zip(first["layers"], second["layers"], strict=True) if old["diff_id"] != new["diff_id"]]
        self.assertEqual(changed, [second["layers"][-1]["title"]])

    def test_a_rebuild_of_nothing_does_nothing(self):
        project = self.small_project()
        first = self.json("build", "--json", cwd=project)
        self.assertGreater(first["statistics"]["layers_made"], 0)
        second = self.json("build", "--json", cwd=project)
        self.assertEqual(self.digests(first), self.digests(second))
        self.assertEqual(
            {name: second["statistics"][name] for name in
             ("files_fetched", "bytes_fetched", "requests", "wheels_opened", "layers_made", "bytes_compressed", "wheels_built")},
            {"files_fetched": 0, "bytes_fetched": 0, "requests": 0, "wheels_opened": 0, "layers_made": 0,
             "bytes_compressed": 0, "wheels_built": 0})

    def test_created_is_the_commits_time_in_the_config_only(self):
        """ko-build/ko#1344, GoogleContainerTools/jib#341."""
        project = self.small_project()
        self.json("build", "--json", cwd=project)
        image = self.json("inspect", "--json", "shop:1.0.0", cwd=project)
        self.assertEqual(image["created"], "2026-01-01T00:00:00Z")
        tree = self.json("inspect", "--tree", "--json", "shop:1.0.0", cwd=project)
        self.assertTrue(tree["entries"])


if __name__ == "__main__":
    fixtures.main()
