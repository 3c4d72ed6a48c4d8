#!/usr/bin/env python3
"""The same project on a Debian base that veneer makes, built on other Debians, each with its own compiler, libraries and
mmdebstrap, by a user with other settings on another file system: equal diff IDs, blobs, configuration and manifest. By
default this machine against one other; with VENEER_TEST_ALL=1 also Debian 12 against Debian 13, wherever this runs. The
roots and object files are kept in the test cache."""

import json
import os
import platform
import shutil
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import asking  # noqa: E402
import fixtures  # noqa: E402
import roots  # noqa: E402


class Chroots(asking.AskingTest):
    def setUp(self):
        super().setUp()
        self.project = self.small_project()
        text = (self.project / "pyproject.toml").read_text()
        self.assertIn(str(fixtures.debian_base()), text)
        mirror = fixtures.mirror()
        system = f'[tool.veneer.system]\npackages = ["zlib1g-dev"]\n' + (f'mirror = "{mirror[0]}"\n' if mirror else "")
        text = text.replace(f'base = "oci:{fixtures.debian_base()}"\n', f'base = "debian:bookworm"\n\n{system}')
        (self.project / "pyproject.toml").write_text(text)
        (self.project / "src" / "shop" / "__init__.py").write_text("def main():\n" + textwrap.indent(asking.PROGRAM, "    "))
        fixtures.commit_all(self.project, "Debian by name")

    def built_in(self, suite: str) -> tuple[dict, list[str]]:
        """What the veneer of a root of `suite` says that it built, and the names of its blobs. It sees the sources at
        /source, this test's folder at /test, the test cache at /keep. Compiled without optimisation, which takes half the time."""
        script = f"""\
            cmake -S /source -B /keep/build-{suite} -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O0 -DVENEER_BATCH=20 -DVENEER_TESTS=OFF >/dev/null
            cmake --build /keep/build-{suite} --target veneer
            cp -r /test/{self.project.name} /tmp/shop
            cd /tmp/shop
            umask 077
            /keep/build-{suite}/veneer build --json >/test/{suite}.json
            cp -r .veneer /test/layout-{suite}"""
        result = roots.run_inside(
            roots.build_root(suite), {"/source": fixtures.SOURCE, "/test": self.folder, "/keep": fixtures.test_cache()}, script,
            CCACHE_DIR=f"/keep/ccache-{suite}", XDG_CACHE_HOME=f"/test/cache-{suite}", UV_CACHE_DIR=f"/test/uv-{suite}",
            TZ="Asia/Kathmandu")
        self.assertEqual(result.returncode, 0, f"{suite}:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
        return json.loads((self.folder / f"{suite}.json").read_text()), self.blobs(self.folder / f"layout-{suite}")

    def built_here(self) -> tuple[dict, list[str]]:
        copy = self.folder / "here" / "shop"
        shutil.copytree(self.project, copy, symlinks=True)
        built = self.json("build", "--json", cwd=copy)
        said = self.run_image(copy)
        self.assertGreater(said.pop("certificates"), 50)
        self.assertEqual(said, {"home": "/home/app", "passwd": "/home/app", "writable": True, "name": "app", "group": "app"})
        return built, self.blobs(copy / ".veneer")

    def blobs(self, layout: Path) -> list[str]:
        return sorted(path.name for path in (layout / "blobs" / "sha256").iterdir())

    def assert_equal_images(self, one: tuple[dict, list[str]], other: tuple[dict, list[str]]) -> None:
        for left, right in zip(one[0]["layers"], other[0]["layers"], strict=True):
            with self.subTest(left["title"]):
                self.assertEqual((left["diff_id"], left["digest"]), (right["diff_id"], right["digest"]))
        self.assertEqual((one[0]["config"], one[0]["manifest"]), (other[0]["config"], other[0]["manifest"]))
        self.assertEqual(one[1], other[1])


class ThisMachine(Chroots):
    def test_another_debian_makes_the_same_image(self):
        here = platform.freedesktop_os_release().get("VERSION_CODENAME")
        self.assert_equal_images(self.built_here(), self.built_in("bookworm" if here == "trixie" else "trixie"))


if os.environ.get("VENEER_TEST_ALL"):

    class BothDebians(Chroots):
        def test_debian_12_and_13_make_the_same_image(self):
            self.assert_equal_images(self.built_in("bookworm"), self.built_in("trixie"))


if __name__ == "__main__":
    fixtures.main()
