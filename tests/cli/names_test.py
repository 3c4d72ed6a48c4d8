#!/usr/bin/env python3
"""Names of images: what build prints, every command takes back; what no engine would take is refused before anything is built."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402


class Names(fixtures.SystemTest):
    def environment(self, **extra: str) -> dict:
        return super().environment(SOURCE_DATE_EPOCH=str(fixtures.FIRST_COMMIT_TIME), **extra)  # the project has no commit

    def project(self, name: str = "shop", version: str = "1.0", table: str = "", base: str = "") -> Path:
        """A project without dependencies, locked by hand."""
        path = self.folder / "project"
        path.mkdir(exist_ok=True)
        (path / "main.py").write_text("print('hi')\n")
        (path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = ">=3.11"\n'
                                             f'[tool.veneer]\nbase = "oci:{base or fixtures.debian_base()}"\n[tool.veneer.image]\n{table}\n')
        (path / "uv.lock").write_text(f'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
                                      'source = { virtual = "." }\n')
        return path

    def build(self, path: Path) -> tuple[str, str]:
        """The name and the digest, as they are printed."""
        name, digest = self.veneer("build", cwd=path).stdout.split()
        return name, digest

    def deploy(self, path: Path, *given: str):
        """To a host that no ssh reaches."""
        ssh = self.folder / "bin" / "ssh"
        ssh.parent.mkdir(exist_ok=True)
        ssh.write_text("#!/bin/sh\necho 'no route' >&2\nexit 255\n")
        ssh.chmod(0o755)
        return self.veneer("deploy", *given, "ssh://plant", cwd=path, code=5, PATH=f"{ssh.parent}:{fixtures.os.environ['PATH']}")

    def take_back(self, path: Path, image: str, name: str, digest: str) -> None:
        """Each command that takes an image. Those that need a host say that it is not there (5), after they found the image."""
        given = [image] if image else []
        inspected = self.json("inspect", *given, "--json", cwd=path)
        self.assertEqual((inspected["name"], inspected["manifest"]), (name, digest))
        compared = self.json("compare", image or name, *given, "--json", cwd=path)
        self.assertEqual((compared["old"], compared["new"]), (name, name))
        upgrade = self.folder / "upgrade.tar"
        self.assertIn(f"for hosts that have {name}", self.veneer("ship", *given, "--to-file", upgrade, "--for", image or name, cwd=path).stdout)
        self.assertIn("no route", self.deploy(path, *given).stderr)
        self.veneer("ship", *given, f"unix://{self.folder}/absent", cwd=path, code=5)
        if image:
            self.assertEqual(self.json("check", image, "--no-imports", "--json", cwd=path)["image"], name)
            self.veneer("pull", f"oci:.veneer:{image}", "--as", "demo:1", cwd=path, code=5, DOCKER_HOST=f"unix://{self.folder}/absent")

    def test_what_build_prints_is_taken_back(self):
        for name, printed in (("ghcr.io/acme/demo", "ghcr.io/acme/demo:1.0"), ("localhost/demo", "localhost/demo:1.0"),
                              ("registry.example:5000/x", "registry.example:5000/x:1.0"), ("acme/demo", "acme/demo:1.0"), ("shop", "shop:1.0"),
                              ("docker.io/library/tool", "tool:1.0"), ("oci", "docker.io/library/oci:1.0")):
            with self.subTest(name):
                path = self.project(table=f'name = "{name}"')
                built, digest = self.build(path)
                self.assertEqual(built, printed)
                repository = built.rsplit(":", 1)[0]
                for image in ("", built):
                    self.take_back(path, image, built, digest)
                for image in (repository, f"{repository}@{digest}", f"{built}@{digest}", f"oci:.veneer:{built}"):
                    self.assertEqual(self.json("inspect", image, "--json", cwd=path)["manifest"], digest)
                for image in (repository, f"{repository}@{digest}"):
                    self.assertIn("no route", self.deploy(path, image).stderr)
        self.assertEqual(self.json("inspect", "docker.io/library/shop:1.0", "--json", cwd=path)["name"], "shop:1.0")
        # A name with a registry as a base: the colon after the folder is not the last.
        fixtures.shutil.copytree(path / ".veneer", self.folder / "the:store")
        on_top = self.project(base=f"{self.folder}/the:store:registry.example:5000/x:1.0", table='name = "upper"')
        self.assertEqual(self.build(on_top)[0], "upper:1.0")

    def test_exact_names_are_one_for_images_bases_and_files(self):
        path = self.project(table='name = "registry.example:5000/team/app"')
        self.build(path)
        (self.folder / "a:b.tar").touch()  # a path with a colon is found when it exists
        (self.folder / "lay:out").mkdir()
        digest = self.json("build", "-o", f"docker-archive:{self.folder}/a:b.tar", "--json", cwd=path)["manifest"]
        self.veneer("build", "-o", f"oci:{self.folder}/lay:out", cwd=path)
        repository = "registry.example:5000/team/app"
        built = set()
        for place in (f"docker-archive:{self.folder}/a:b.tar", f"oci:{self.folder}/lay:out"):
            for image in (place, f"{place}:{repository}:1.0", f"{place}:{repository}", f"{place}:{repository}@{digest}", f"{place}:{repository}:1.0@{digest}"):
                with self.subTest(image):
                    self.assertEqual(self.json("inspect", image, "--json", cwd=path)["manifest"], digest)
                    self.assertEqual(self.json("compare", image, image, "--json", cwd=path)["old"], image)
                    upgrade = self.folder / "up:grade.tar"
                    self.veneer("ship", image, "--as", "app:1", "--to-file", upgrade, "--for", image, cwd=path)
                    for file in (upgrade, f"docker-archive:{upgrade}", f"docker-archive:{upgrade}:app:1"):
                        self.veneer("receive", file, cwd=path, code=5, DOCKER_HOST=f"unix://{self.folder}/absent")
                    built.add(self.json("plan", "--base", image, "--json", cwd=path)["base"]["name"])
                    self.assertIn(image, built)

    def test_a_name_that_the_store_lacks(self):
        path = self.project(table='name = "ghcr.io/acme/demo"')
        self.build(path)
        for name in ("acme/demo:1.0", "demo", "demo:2", "demo@sha256:" + "0" * 64):  # with a registry it is the registry's
            for command in ("inspect", "check", "compare"):
                refused = self.veneer(command, name, cwd=path, code=4)
                self.assertIn(f"there is no image {name} here", refused.stderr)
                self.assertIn("hint: there is ghcr.io/acme/demo:1.0;", refused.stderr)
        self.assertIn("lower case", self.veneer("inspect", "ghcr.io/Acme/demo", cwd=path, code=2).stderr)

    def test_without_a_tag_it_is_latest_or_the_newest(self):
        path = self.project(table='name = "ghcr.io/acme/demo"\ntag = "1"')
        self.build(path)
        self.build(self.project(table='name = "ghcr.io/acme/demo"\ntag = "2"'))
        found = self.veneer("inspect", "ghcr.io/acme/demo", cwd=path)
        self.assertIn("ghcr.io/acme/demo is ghcr.io/acme/demo:2", found.stderr)
        self.build(self.project(table='name = "ghcr.io/acme/demo"\ntag = "latest"'))
        self.build(self.project(table='name = "ghcr.io/acme/demo"\ntag = "3"'))
        self.assertEqual(self.json("inspect", "ghcr.io/acme/demo", "--json", cwd=path)["name"], "ghcr.io/acme/demo:latest")

    # someengineering/fixinventory PR #237
    def test_case_82_a_version_that_no_tag_can_hold(self):
        for version, tag in (("1!2.0", "1-2.0"), ("1.0+local.7", "1.0-local.7")):
            with self.subTest(version):
                path = self.project(version=version)
                built = self.veneer("build", cwd=path)
                name, digest = built.stdout.split()
                self.assertEqual(name, f"shop:{tag}")
                self.assertIn(f"no tag can hold the version {version}; it is {tag}", built.stderr)
                self.take_back(path, name, name, digest)
        self.assertNotIn("no tag", self.veneer("build", cwd=self.project(version="1.0")).stderr)

    def test_what_no_engine_takes_is_refused_before_it_is_built(self):
        for table in ('name = "my shop"', 'name = "Shop"', 'name = "shop:1"', 'name = "ghcr.io//shop"', 'name = "caf\u00e9"', 'name = "shop-"', f'name = "{"n" * 256}"',
                      'tag = "1!2.0"', 'tag = "1.0+local"', 'tag = ".1"', 'tag = "a b"', f'tag = "{"1" * 129}"'):
            with self.subTest(table):
                path = self.project(table=table)
                refused = self.veneer("build", cwd=path, code=3)
                self.assertIn(f"[tool.veneer.image] {table.split()[0]}", refused.stderr)
                self.assertIn("hint: a ", refused.stderr)
                self.assertEqual(refused.stdout, "")
                self.assertFalse((path / ".veneer").exists())
                self.veneer("plan", cwd=path, code=3)
        path = self.project()
        for place in ("docker-archive:app.tar:Shop", "docker-archive:app.tar:shop@sha256:" + "0" * 64, "oci:out:a b", "oci:out:shop:1!2.0", "docker:shop"):
            with self.subTest(place):
                self.assertIn("hint:", self.veneer("build", "-o", place, cwd=path, code=2).stderr)
                self.assertEqual(sorted(file.name for file in path.iterdir()), ["main.py", "pyproject.toml", "uv.lock"])
        self.assertIn("no name that an engine can give", self.veneer("deploy", "ssh://plant", "--as", "Shop:live", cwd=path, code=2).stderr)
        self.assertFalse((path / ".veneer").exists())


if __name__ == "__main__":
    fixtures.main()
