#!/usr/bin/env python3
"""Images that an engine holds, named docker:NAME and podman:NAME: read, compared, built on, by the export of its API.

On three engines, one of each kind of store; with VENEER_TEST_ALL=1 on all of them. Each gets an instance of its own.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402
from registry_images import put_image  # noqa: E402
from ssh_host import ENGINES, start_engine  # noqa: E402

NAME = "team/base:1"


class OnEngine(fixtures.SystemTest):
    """What every engine must do; subclasses name one."""

    engine = ""

    @classmethod
    def setUpClass(cls):
        if not cls.engine:
            return
        cls.unit = cls.engine + "@places"
        cls.facts = start_engine(cls, cls.unit)
        cls.program = "podman" if cls.engine.startswith("podman") else "docker"

    def environment(self, **extra: str) -> dict:
        """Only the engine under test is there."""
        absent = f"unix://{self.folder}/absent.sock"
        variables = {"DOCKER_HOST": absent, "CONTAINER_HOST": absent}
        variables["CONTAINER_HOST" if self.program == "podman" else "DOCKER_HOST"] = self.facts["DOCKER_HOST"]
        return super().environment(**{**variables, **extra})

    def client(self, *words: str) -> bytes:
        return subprocess.run([str(ENGINES), "exec", self.unit, self.program, *words], check=True, capture_output=True, cwd="/tmp").stdout

    def full(self, name: str) -> str:
        return f"docker.io/{name}" if self.program == "podman" else name

    def kept(self) -> dict[str, int]:
        """The exports that are kept: name and inode."""
        return {file.name: file.stat().st_ino for file in (self.cache / "veneer" / "engine-images").glob("*")}


class Places:
    """Mixed into a subclass of OnEngine for each engine."""

    def test_an_engines_image_is_read_and_built_on(self):
        pulled = self.veneer("pull", f"oci:{fixtures.debian_base()}:bookworm", "--as", NAME, DOCKER_HOST=self.facts["DOCKER_HOST"])
        image_id = pulled.stdout.split()[1]
        exact = f"{self.program}:{NAME}"
        inspected = self.json("inspect", exact, "--json")
        self.assertEqual(inspected["name"], exact)
        self.assertIn(image_id, (inspected["config"]["digest"] if isinstance(inspected["config"], dict) else inspected["config"], inspected["manifest"]))
        kept = self.kept()
        self.assertEqual(list(kept), [image_id.removeprefix("sha256:") + ".tar"])

        # The same image is not exported again, whatever it is called; what was taken is printed.
        self.assertEqual(self.json("inspect", f"{self.program}:{image_id}", "--json")["manifest"], inspected["manifest"])
        plain = self.veneer("inspect", NAME, "--json")
        self.assertIn(f"{NAME} is {exact}", plain.stderr)
        self.assertEqual(fixtures.json.loads(plain.stdout)["name"], exact)
        self.assertEqual(self.json("compare", exact, NAME, "--json")["new"], exact)
        self.assertEqual(self.kept(), kept)

        # What the engine's own client saves is the same image.
        saved = self.folder / "saved.tar"
        saved.write_bytes(self.client("save", self.full(NAME)))
        archive = self.json("inspect", f"docker-archive:{saved}:{self.full(NAME)}", "--json")
        self.assertEqual(archive["layers"], inspected["layers"])

        # As a base, of the option and of the project.
        project = self.small_project()
        manifests = {base: self.json("build", "--base", base, "-o", f"oci:{self.folder}/out", "--json", cwd=project)["manifest"]
                     for base in (exact, f"docker-archive:{saved}", f"docker-archive:{saved}:{self.full(NAME)}")}
        self.assertEqual(len(set(manifests.values())), 1, manifests)
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace(f'base = "oci:{fixtures.debian_base()}"', f'base = "{exact}"'))
        planned = self.json("plan", "--json", cwd=project)
        self.assertEqual(planned["base"]["name"], exact)
        self.assertEqual(self.kept(), kept)
        built = self.json("build", "--json", cwd=project)
        config = self.json("inspect", built["image"], "--json", cwd=project)
        for secret in (str(self.folder), self.facts["DOCKER_HOST"]):
            self.assertNotIn(secret, fixtures.json.dumps(config))

    def test_a_registrys_image_is_pulled(self):
        """Of a changed layer in the middle only that one is fetched, on every store; and the engine is not asked to pull."""
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        name = f"{registry.address}/team/app"
        for docker in (False, True):
            text = {name: random.Random(f"{name} {docker}").randbytes(100_000).hex() for name in "abcd"}
            put_image(registry, "team/app", "1", {"a": text["a"], "b": text["b"], "c": text["c"]}, docker=docker)
            put_image(registry, "team/app", "2", {"a": text["a"], "b": text["d"], "c": text["c"]}, docker=docker)
            layers = [json.loads(registry.manifests["team/app"][tag][1])["layers"] for tag in "12"]
            self.assertEqual([layers[0][at] == layers[1][at] for at in range(3)], [True, False, True])
            for tag, wanted in (("1", layers[0]), ("2", layers[1][1:2])):
                fixtures.shutil.rmtree(self.cache, ignore_errors=True)  # the engine's layers are enough
                registry.requests.clear()
                pulled = self.veneer("pull", f"{name}:{tag}", "--as", f"team/pulled:{'d' if docker else 'o'}", DOCKER_HOST=self.facts["DOCKER_HOST"])
                fetched = [one.path.rsplit("/", 1)[1] for one in registry.sent("GET", kind="blobs")]
                config = json.loads(registry.manifests["team/app"][tag][1])["config"]["digest"]
                self.assertEqual(sorted(fetched), sorted([config, *(layer["digest"] for layer in wanted)]), pulled.stdout)

    def test_what_is_not_there(self):
        missing = self.veneer("inspect", f"{self.program}:team/missing:1", code=4)
        self.assertIn("team/missing:1", missing.stderr)
        self.assertIn("hint:", missing.stderr)
        plain = self.veneer("inspect", "team/missing:1", code=4)
        self.assertIn("there is no image team/missing:1 here", plain.stderr)
        self.assertIn(f"{self.program}: it has no such image", plain.stderr)
        self.assertEqual(self.kept(), {})


class Docker20(Places, OnEngine):
    engine = "docker20"


class Docker28Containerd(Places, OnEngine):
    engine = "docker28-c8d"


class Podman4(Places, OnEngine):
    engine = "podman4"


if os.environ.get("VENEER_TEST_ALL"):

    class Docker26(Places, OnEngine):
        engine = "docker26"

    class Docker26Containerd(Places, OnEngine):
        engine = "docker26-c8d"

    class Docker28(Places, OnEngine):
        engine = "docker28"

    class Podman5(Places, OnEngine):
        engine = "podman5"


if __name__ == "__main__":
    fixtures.main()
