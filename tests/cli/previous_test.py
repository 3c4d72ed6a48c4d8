#!/usr/bin/env python3
"""Builds that follow the image before: which one that is, what stays of it, what a builder without a cache takes from it."""

import gzip
import hashlib
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import odd_registry  # noqa: E402

PARTS = 9
MANY = 200  # bytes of random data that the smallest part has


class Previous(fixtures.SystemTest):
    def part(self, path: Path, number: int, value: int) -> None:
        data = hashlib.sha256(f"{number} {value}".encode()).digest() * (MANY << number)
        fixtures.wheel(path / "wheels", f"part{number}", "1.0", {f"part{number}/__init__.py": f"VALUE = {value}\n", f"part{number}/data.bin": data})

    def bump(self, path: Path, *numbers: int, value: int) -> None:
        for number in numbers:
            self.part(path, number, value)
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=path, check=True, env=self.environment())
        fixtures.commit_all(path, f"{numbers} {value}")

    def edit(self, path: Path, text: str) -> None:
        (path / "src/shop/__init__.py").write_text(f"def main():\n    print('{text}')\n")
        fixtures.commit_all(path, text)

    def few_layers(self) -> Path:
        """Nine parts in at most six layers."""
        path = self.small_project(dependencies=PARTS)
        text = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(text.replace("[tool.veneer]\n", "[tool.veneer]\ndependency_layers = 6\n"))
        self.bump(path, *range(PARTS), value=0)
        return path

    def build(self, path: Path, *arguments, **environment) -> dict:
        return self.json("build", "--json", *arguments, cwd=path, **environment)

    def registry(self) -> str:
        registry = odd_registry.OddRegistry()
        self.addCleanup(registry.close)
        return f"{registry.address}/team/shop"

    @staticmethod
    def dependencies(built: dict) -> list[dict]:
        return [layer for layer in built["layers"] if layer["kind"] == "distribution"]

    def test_twelve_bumps_in_a_row(self):
        """Whatever changes, the layers that hold none of it keep their digests; the annotation counts."""
        path = self.few_layers()
        before = self.build(path, "-o", f"oci:{self.folder / 'all'}:0", "--previous", "none")
        for round in range(1, 13):
            changed = round * 5 % PARTS
            self.bump(path, changed, value=round)
            now = self.build(path, "-o", f"oci:{self.folder / 'all'}:{round}", "--previous", f"oci:{self.folder / 'all'}:{round - 1}")
            self.assertEqual(now["previous"]["manifest"], before["manifest"])
            old = {layer["digest"] for layer in self.dependencies(before)}
            fresh = [layer for layer in self.dependencies(now) if layer["digest"] not in old]
            # That of the changed one, and what shared a layer with it.
            broken = [layer for layer in self.dependencies(before) if f"part{changed} " in layer["title"]]
            self.assertEqual(len(broken), 1, broken)
            members = sum(layer["title"].count("part") for layer in broken)
            self.assertLessEqual(sum(layer["title"].count("part") for layer in fresh), members + 1, (fresh, broken))
            self.assertLessEqual(len(self.dependencies(now)), 6)
            before = now
        plan = json.loads(self.annotations(self.folder / "all", before["manifest"])["dev.veneer.plan"])
        self.assertEqual((plan["version"], plan["seen"], sum(plan["changed"].values())), (1, 12, 12))

    @staticmethod
    def annotations(layout: Path, manifest: str) -> dict:
        return json.loads((layout / "blobs/sha256" / manifest.split(":")[1]).read_text())["annotations"]

    def test_which_image_it_is(self):
        path = self.small_project()
        name = self.registry()
        first = self.build(path)
        self.assertIsNone(first["previous"]["image"])
        # Of the same set the same image, byte for byte, whatever it follows.
        again = self.build(path)
        self.assertEqual(again["previous"] | {"passed_over": None},
                         {"image": "shop:1.0.0", "manifest": first["manifest"], "why": "it was built last here", "passed_over": None})
        self.assertEqual(again["manifest"], first["manifest"])
        self.assertIsNone(self.build(path, CI="true")["previous"]["image"])
        self.assertIsNone(self.build(path, "-o", f"oci:{self.folder / 'x'}")["previous"]["image"])
        self.assertEqual(self.build(path, "--previous", "none")["previous"]["why"], "--previous none")
        # What is pushed to: its tag, its latest, that of the newest git tag.
        pushed = self.build(path, "--push", f"{name}:1.0.0", "--also-tag", "latest")
        self.assertIsNone(pushed["previous"]["image"])
        self.assertEqual(self.build(path, "--push", f"{name}:1.0.0")["previous"]["why"], "it has the tag that is pushed to")
        said = self.build(path, "--push", f"{name}:2")["previous"]
        self.assertEqual((said["why"], said["manifest"]), ("it is the latest of the repository that is pushed to", first["manifest"]))
        other = name.replace("team", "other")
        fixtures.git(path, "tag", "v1.0.0")
        self.edit(path, "later")
        self.build(path, "--push", f"{other}:1.0.0")
        said = self.build(path, "--push", f"{other}:2")["previous"]
        self.assertEqual((said["image"], said["why"]), (f"registry:{other}:1.0.0", "it is that of the git tag v1.0.0"))
        # What is named comes first; what cannot be followed is passed over and said.
        result = self.veneer("build", "--previous", f"{name}:none", cwd=path)
        self.assertIn("has no image", result.stderr)
        self.assertIn("(it was built last here)", result.stderr)
        self.assertIn("carries no plan", self.veneer("build", "--previous", f"oci:{fixtures.debian_base()}", cwd=path).stderr)
        self.veneer("build", "--previous", "Not A Name", cwd=path, code=2)
        # An archive has no annotations; its label names the layers.
        self.build(path, "-o", f"docker-archive:{self.folder / 'app.tar'}:shop:1")
        self.bump(path, 1, value=7)
        followed = self.build(path, "--previous", f"docker-archive:{self.folder / 'app.tar'}")
        self.assertEqual(followed["previous"]["why"], "--previous names it")
        pyproject = path / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace("[tool.veneer]\n", f'[tool.veneer]\nprevious = "{name}:latest"\n'))
        self.assertEqual(self.build(path)["previous"]["why"], "[tool.veneer] previous names it")

    def test_a_builder_without_a_cache(self):
        """It takes what did not change from the repository that it pushes to, and makes the image that a warm one makes."""
        path = self.few_layers()
        name = self.registry()
        self.build(path, "--push", f"{name}:1")
        self.edit(path, "an edit")
        self.bump(path, 4, value=1)
        warm = self.build(path, "-o", f"oci:{self.folder / 'warm'}", "--previous", f"{name}:1")
        shutil.rmtree(self.cache)
        cold = self.build(path, "--push", f"{name}:2", "--previous", f"{name}:1", CI="true")
        self.assertEqual(cold["manifest"], warm["manifest"])
        kept = [layer for layer in self.dependencies(cold) if layer["taken"]]
        self.assertEqual(len(kept), len(self.dependencies(cold)) - sum(layer["made"] for layer in self.dependencies(cold)))
        self.assertGreaterEqual(len(kept), 4)
        members = sum(layer["title"].count("part") for layer in self.dependencies(cold) if layer["made"])
        # Those and the project's own, each at most for what it needs and for what it installs.
        self.assertLessEqual(cold["statistics"]["wheels_opened"], 2 * (members + 1))
        self.assertEqual(len(list((self.cache / "veneer/layers").glob("*.json"))), cold["statistics"]["layers_made"])
        self.assertEqual(self.json("inspect", f"{name}:2", "--json")["manifest"], warm["manifest"])
        # Once more, all of it made: it is the same.
        self.assertEqual(self.build(path, "--verify-previous", "--previous", f"{name}:2")["manifest"], warm["manifest"])

    def test_prepared_files_and_pictures_come_from_there_too(self):
        """Whatever has the key that it had: no command runs for it, nothing is compressed."""
        path = self.small_project()
        settings = (path / "pyproject.toml").read_text()
        (path / "make.py").write_text("import os, pathlib\npathlib.Path('/app/made').mkdir()\npathlib.Path('/app/made/x').write_bytes(os.urandom(9))\n")
        (path / "static").mkdir()
        (path / "static/picture.bin").write_bytes(random.Random(1).randbytes(2_000_000))
        (path / "pyproject.toml").write_text(
            settings.replace("\nfiles = [", '\nfiles = [{ from = "static", to = "/app/static" }, { from = "make.py", to = "/app/make.py" }, ', 1) +
            '\n[[tool.veneer.prepare]]\ncommand = ["python", "/app/make.py"]\noutputs = ["/app/made"]\ninputs = ["make.py"]\n')
        fixtures.commit_all(path, "Prepared")
        name = self.registry()
        first = self.build(path, "--push", f"{name}:1")
        self.edit(path, "an edit")
        warm = self.build(path, "-o", f"oci:{self.folder / 'warm'}", "--previous", f"{name}:1")
        shutil.rmtree(self.cache)
        cold = self.build(path, "--push", f"{name}:2", "--previous", f"{name}:1", CI="true")
        self.assertEqual(cold["manifest"], warm["manifest"])
        self.assertEqual([layer["title"] for layer in cold["layers"] if layer["made"]], ["application"])
        self.assertTrue(all(layer["taken"] for layer in cold["layers"][1:-1]), cold["layers"])
        self.assertLessEqual({"python /app/make.py", "virtual environment", "application files"}, {layer["title"] for layer in cold["layers"]})
        self.assertEqual([layer["digest"] for layer in cold["layers"][:-1]], [layer["digest"] for layer in first["layers"][:-1]])
        self.assertEqual(len(list((self.cache / "veneer/layers").glob("*.json"))), cold["statistics"]["layers_made"])
        # Another input: the command runs, and that its files are other ones is no lie of the image before.
        (path / "make.py").write_text((path / "make.py").read_text() + "# another\n")
        fixtures.commit_all(path, "Another input")
        again = self.build(path, "--previous", f"{name}:2", "--verify-previous")
        self.assertTrue(next(layer["made"] for layer in again["layers"] if layer["kind"] == "prepared"))
        # The same inputs: what the command makes is compared, and this one makes other files each time.
        fixtures.git(path, "reset", "-q", "--hard", "HEAD~1")
        refused = self.veneer("build", "--previous", f"{name}:2", "--verify-previous", cwd=path, code=6)
        self.assertIn("the image before has another layer of python /app/make.py", refused.stderr)

    def test_an_image_before_that_lies_is_found_out(self):
        path = self.small_project()
        layout = self.folder / "lies"
        built = self.build(path, "-o", f"oci:{layout}:1")
        position = next(i for i, layer in enumerate(built["layers"]) if layer["kind"] == "distribution")
        blobs = layout / "blobs/sha256"

        def put(data: bytes) -> dict:
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            return {"digest": f"sha256:{digest}", "size": len(data)}

        manifest = json.loads((blobs / built["manifest"][7:]).read_text())
        config = json.loads((blobs / built["config"][7:]).read_text())
        tar = gzip.decompress((blobs / built["layers"][position]["digest"][7:]).read_bytes()) + bytes(1024)
        manifest["layers"][position].update(put(gzip.compress(tar)))
        config["rootfs"]["diff_ids"][position] = "sha256:" + hashlib.sha256(tar).hexdigest()
        manifest["config"].update(put(json.dumps(config).encode()))
        index = json.loads((layout / "index.json").read_text())
        index["manifests"][0].update(put(json.dumps(manifest).encode()))
        (layout / "index.json").write_text(json.dumps(index))
        refused = self.veneer("build", "--previous", f"oci:{layout}:1", "--verify-previous", cwd=path, code=6)
        self.assertIn("the image before has another layer of part", refused.stderr)
        # A plan that cannot be read, or of another version or machine, is not followed.
        for text, why in (("{", "cannot be followed"), ('{"version":9}', "of version 9"),
                          ('{"version":1,"target":{"machine":"sparc"},"layers":[]}', "is for sparc")):
            manifest["annotations"]["dev.veneer.plan"] = text
            index["manifests"][0].update(put(json.dumps(manifest).encode()))
            (layout / "index.json").write_text(json.dumps(index))
            result = self.veneer("build", "--previous", f"oci:{layout}:1", "-o", f"oci:{self.folder / 'y'}", "--json", cwd=path)
            self.assertIn(why, result.stderr)
            self.assertEqual(json.loads(result.stdout)["manifest"], built["manifest"])

    def test_a_plan_is_carried_out_as_it_stands(self):
        path = self.few_layers()
        self.build(path)
        self.bump(path, 3, value=1)
        printed = self.veneer("plan", cwd=path).stdout
        self.assertIn("part3 changed", printed)
        self.assertIn("part3 changed in 1 of the 1 sets", self.veneer("plan", "--explain", "Part3", cwd=path).stdout)
        self.assertIn("no distribution numpy", self.veneer("plan", "--explain", "numpy", cwd=path, code=4).stderr)
        plan = self.veneer("plan", "--json", cwd=path).stdout
        self.assertLessEqual({"kept", "new"}, {layer["state"] for layer in json.loads(plan)["layers"]})
        (self.folder / "plan.json").write_text(plan)
        # Without the image before, too.
        built = self.build(path, "--plan", self.folder / "plan.json", "--previous", "none", "-o", f"oci:{self.folder / 'exact'}")
        self.assertEqual(built["manifest"], self.build(path)["manifest"])
        self.assertNotEqual(built["manifest"], self.build(path, "--previous", "none", "-o", f"oci:{self.folder / 'other'}")["manifest"])
        self.edit(path, "changed")
        self.assertIn("application is not what it was", self.veneer("build", "--plan", self.folder / "plan.json", cwd=path, code=3).stderr)
        (self.folder / "plan.json").write_text(plan.replace(json.loads(plan)["base"]["digest"], "sha256:" + 64 * "0"))
        self.assertIn("it is for the base", self.veneer("build", "--plan", self.folder / "plan.json", cwd=path, code=3).stderr)


if __name__ == "__main__":
    fixtures.main()
