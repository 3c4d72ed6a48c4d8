#!/usr/bin/env python3
"""`veneer init --docker`: what it writes is built by a real `docker build`, through its own make targets, without network.

Docker 20.10 of Debian 12 with BuildKit, which is compiled into its daemon; with VENEER_TEST_ALL=1 its classic builder too, and that
of Docker 28.5 (Debian's has no buildx), which also builds a base with packages of Debian's archive. The base stands on a Debian 12
with python3, git and pip that is loaded before; uv comes from a wheel that lies in it.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import real_registry  # noqa: E402
import roots  # noqa: E402
import tiny_image  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402
from workflows import steps_of  # noqa: E402

FROM = "python-git:1"
BUDGET = 500_000
CANARY = "c4nary-that-no-image-has"


def pip_package() -> Path:
    """That of the environment which uv was installed into, else this interpreter's."""
    for folder in sorted((Path(shutil.which("uv")).resolve().parents[1] / "lib").glob("python3*/site-packages/pip")):
        return folder
    import pip
    return Path(pip.__path__[0])


def uv_wheel(folder: Path) -> Path:
    version = subprocess.run(["uv", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    wheel = fixtures.wheel(folder, "uv", version, {})
    with zipfile.ZipFile(wheel, "a") as archive:  # stored: packing 50 MB would take seconds
        entry = zipfile.ZipInfo(f"uv-{version}.data/scripts/uv")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, Path(shutil.which("uv")).read_bytes())
    return wheel


def base_archive(folder: Path) -> Path:
    root = roots.uv_root("bookworm")
    system = subprocess.run(["tar", "-C", str(root), "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./dev/*", "--exclude=./tmp/*",
                             "--exclude=./usr/local/bin/uv", "-cf", "-", "."], check=True, capture_output=True).stdout
    wheel = uv_wheel(folder / "wheels")
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as layer:
        def plain(entry: tarfile.TarInfo):
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            return None if "__pycache__" in entry.name else entry

        layer.add(pip_package(), "usr/local/lib/python3.11/dist-packages/pip", filter=plain)
        layer.add(wheel, f"opt/wheels/{wheel.name}", filter=plain)
        for name, text in (("etc/pip.conf", "[global]\nno-index = true\nfind-links = /opt/wheels\n"), ("etc/uv/uv.toml", "no-index = true\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            layer.addfile(entry, io.BytesIO(text.encode()))
    (folder / "base.tar").write_bytes(tiny_image.archive([system, output.getvalue()], FROM, ["sh"]))
    return folder / "base.tar"


class OnEngine(fixtures.SystemTest):
    engine = ""
    buildkit = "1"
    options = "--network none"

    @classmethod
    def setUpClass(cls):
        if not cls.engine:
            return
        cls.unit = f"{cls.engine}@dockermode"
        cls.facts = start_engine(cls, cls.unit)
        folder = Path(fixtures.tempfile.mkdtemp(prefix="veneer-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.client("load", "--quiet", "--input", str(base_archive(folder)))

    @classmethod
    def client(cls, *words: str) -> str:
        done = subprocess.run([str(ENGINES), "exec", cls.unit, "docker", *words], capture_output=True, text=True, cwd="/tmp")
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def project(self, system: str = "") -> Path:
        project = self.small_project()
        settings = project / "pyproject.toml"
        text = "\n".join('base = "docker:%s"\npython = "3.11"' % FROM if line.startswith("base = ") else line
                         for line in settings.read_text().splitlines())
        settings.write_text(text + system + "\n")
        fixtures.commit_all(project, "Another base")
        return project

    def make(self, project: Path, target: str, code: int = 0, **variables: str) -> str:
        """What the target printed, run as its owners do."""
        docker = self.folder / "docker"
        if not docker.exists():
            docker.write_text(f"#!/bin/sh\nexec {ENGINES} exec {self.unit} env DOCKER_BUILDKIT={self.buildkit} docker \"$@\"\n")
            docker.chmod(0o755)
        values = {"VENEER": fixtures.binary(), "DOCKER": str(docker), "BUILD_OPTIONS": self.options, "TAG": "1", **variables}
        done = subprocess.run(["make", "-f", "veneer.mk", target, *(f"{name}={value}" for name, value in values.items())], cwd=project,
                              capture_output=True, text=True, env=self.environment(VENEER_TEST_CACHE=str(fixtures.test_cache())))
        self.assertEqual(done.returncode, code, done.stdout[-6000:] + done.stderr[-6000:])
        return done.stdout + done.stderr

    def layers(self, image: str) -> list[str]:
        return json.loads(self.client("image", "inspect", "--format", "{{json .RootFS.Layers}}", image))

    def entries_above(self, image: str, count: int) -> list[dict[str, tuple]]:
        """Of the layers that `image` has above its lowest `count`: path -> time, mode, owner, content."""
        archive = self.folder / "saved.tar"
        self.client("save", "--output", str(archive), image)
        with tarfile.open(archive) as saved:
            found = []
            for name in json.load(saved.extractfile("manifest.json"))[0]["Layers"][count:]:
                with tarfile.open(fileobj=io.BytesIO(saved.extractfile(name).read())) as layer:
                    found.append({entry.name: (entry.mtime, entry.mode, entry.uid, layer.extractfile(entry).read() if entry.isfile() else b"")
                                  for entry in layer})
        archive.unlink()
        return found

    def files_above(self, image: str, base: str) -> dict[str, bytes]:
        """Of the layers that `image` has above `base`."""
        layers = self.entries_above(image, len(self.layers(base)))
        return {name: entry[-1] for layer in layers for name, entry in layer.items()}


class Cases:
    def test_a_release_is_its_own_code(self):
        project = self.project()
        self.veneer("base", "status", "--docker", cwd=project, code=10)
        self.make_files(project)
        base = self.base_of(project)
        self.assertIn("is fresh", self.veneer("base", "status", "--docker", cwd=project).stdout)
        self.make(project, "base-images")
        self.make(project, "image")
        self.assertEqual(self.client("run", "--rm", "--network", "none", "shop:1"), "hello\n")
        label = self.client("image", "inspect", "--format", '{{index .Config.Labels "org.opencontainers.image.base.name"}}', "shop:1")
        self.assertEqual(label.strip(), base)
        self.assertEqual(self.layers("shop:1")[:len(self.layers(base))], self.layers(base))

        # The second edit: one layer is another; the rest of what the application has above its base is empty.
        (project / "src/shop/__init__.py").write_text("def main():\n    print('hello again')\n")
        for name in (".env", "src/shop/.env", "src/shop/notes.txt", "secrets/id_rsa", "ignored/key.pem"):
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(CANARY)
        (project / ".gitignore").write_text(".veneer/\nignored/\n.env\n")
        fixtures.git(project, "add", "-u")
        fixtures.git(project, "commit", "-q", "-m", "Second")
        said = self.make(project, "image", TAG="2", MAX_BYTES=str(BUDGET))
        self.assertIn("bytes to " + base, said)
        self.assertEqual(self.client("run", "--rm", "--network", "none", "shop:2"), "hello again\n")
        first, second = self.layers("shop:1"), self.layers("shop:2")
        self.assertEqual(len(first), len(second))
        self.assertEqual(sum(a != b for a, b in zip(first, second)), 1)
        files = self.files_above("shop:2", base)
        self.assertIn("app/.venv/lib/python3.11/site-packages/shop/__init__.py", files)
        self.assertIn("app/run.py", files)
        self.assertLess(sum(map(len, files.values())), BUDGET)
        self.assertFalse([name for name in files if ".git" in name or ".env" in name or "part" in name or "notes" in name or "key" in name], files)
        self.assertFalse([name for name, data in files.items() if CANARY.encode() in data])

        # What is too much is told.
        self.assertIn("that is more than 100", self.make(project, "check", code=2, TAG="2", MAX_BYTES="100"))
        self.assertIn("does not stand on", self.make(project, "check", code=2, TAG="2", BASE="shop:1"))
        self.more(project, base)

    def test_the_workflow(self):
        """Its steps as they stand there: the base is built and pushed once, and fetched by the next runner."""
        registry = real_registry.RealRegistry(self.folder / "registry")
        self.addCleanup(registry.close)
        project = self.project()
        settings = project / "pyproject.toml"
        settings.write_text(settings.read_text().replace("[tool.veneer.image]\n", f'[tool.veneer.image]\nname = "{registry.address}/team/shop"\n'))
        fixtures.commit_all(project, "Its name")
        self.make_files(project)
        base = self.base_of(project)
        steps = steps_of((project / ".github/workflows/image.yml").read_text())
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "veneer").symlink_to(fixtures.binary())
        (programs / "docker").write_text(f"#!/bin/sh\nexec {ENGINES} exec {self.unit} env DOCKER_BUILDKIT={self.buildkit} docker \"$@\"\n")
        (programs / "docker").chmod(0o755)

        def run(name: str, **variables: str) -> str:
            environment = self.environment(VENEER_TEST_CACHE=str(fixtures.test_cache()), CI="true", IMAGE=f"{registry.address}/team/shop", GITHUB_REF_NAME="v1+2",
                                           GITHUB_REF_TYPE="tag", REGISTRY_USER="", REGISTRY_PASSWORD="", BUILD_OPTIONS=self.options, **variables)
            environment["PATH"] = f"{programs}:{environment['PATH']}"
            done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", steps[name]["run"]], cwd=project, env=environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{name}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
            return done.stdout + done.stderr

        def forget() -> None:
            self.client("image", "rm", "--force", base, f"{base}-build", *(f"{registry.address}/team/shop:{tag}" for tag in ("v1-2", "latest")))

        run("Are the generated files up to date?")
        run("Log in to the registry")
        self.assertIn("-f Dockerfile.base", run("Fetch the base, or build it"))
        self.assertIn("bytes to " + base, run("Build", MAX_BYTES=str(BUDGET)))
        run("Push")
        self.assertEqual(steps["Push"]["if"], "github.ref_type == 'tag'")
        self.assertEqual(registry.tag("team/shop", "v1-2"), registry.tag("team/shop", "latest"))
        self.assertIsNotNone(registry.tag("team/shop-base", base.rsplit(":", 1)[1]))
        forget()
        self.assertNotIn("-f Dockerfile.base", run("Fetch the base, or build it"))
        self.assertIn("bytes to " + base, run("Build", MAX_BYTES=str(BUDGET)))
        # The page's commands, but for those on a host.
        for block in re.findall(r"```sh\n(.*?)```", (project / "docs/container-image.md").read_text(), re.DOTALL):
            if "docker compose" not in block:
                steps["page"] = {"run": block}
                run("page", VENEER="veneer")
        self.assertEqual(fixtures.git(project, "status", "--short"), "", "make base wrote what was there")
        forget()

    def make_files(self, project: Path) -> None:
        self.veneer("init", "--docker", cwd=project)
        fixtures.commit_all(project, "Dockerfiles")

    def base_of(self, project: Path) -> str:
        return next(line.split("=", 1)[1] for line in (project / "Dockerfile").read_text().splitlines() if line.startswith("ARG BASE="))

    def more(self, project: Path, base: str) -> None:
        """In the tier of all: the base once more, without the builder's cache."""
        if not os.environ.get("VENEER_TEST_ALL"):
            return
        before = self.entries_above(base, 2)
        self.make(project, "base-images", BUILD_OPTIONS=self.options + " --no-cache")
        after = self.entries_above(base, 2)
        for layers in (before, after):
            # BuildKit takes away what it mounted over, after the last word of a RUN; the time of /etc is that of then.
            if self.buildkit == "1" and "etc" in layers[-1]:
                layers[-1].pop("etc")
        self.assertEqual(before, after)


class Docker20(Cases, OnEngine):
    engine = "docker20"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker20Classic(Cases, OnEngine):
        engine = "docker20"
        buildkit = "0"

    class Docker28Classic(Cases, OnEngine):
        engine = "docker28"
        buildkit = "0"

        def test_packages_of_the_archive(self):
            """Installed from the archive of now, since its snapshots need not be reachable from here; the base twice."""
            project = self.project('\n[tool.veneer.system]\npackages = ["libpq5", "tzdata"]\n')
            self.make_files(project)
            base = self.base_of(project)
            options = {"BUILD_OPTIONS": "--network host --build-arg SNAPSHOT= --no-cache"}
            self.make(project, "base-images", **options)
            before = self.layers(base)
            self.assertIn("libpq.so.5", self.client("run", "--rm", "--network", "none", base, "ls", "/usr/lib/x86_64-linux-gnu"))
            self.make(project, "base-images", **options)
            self.assertEqual(self.layers(base), before)


if __name__ == "__main__":
    fixtures.main()
