#!/usr/bin/env python3
"""The same project built by veneer on Debian 12 and on Debian 13, each with its own compiler, libraries and mmdebstrap:
equal diff IDs, blobs, configuration and manifest. The roots and object files are kept in the test cache."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import roots  # noqa: E402

class Chroots(fixtures.SystemTest):
    def inside(self, suite: str, script: str) -> None:
        """Runs a shell script in the root of `suite`: the sources at /source, this test's folder at /test, the test cache
        at /keep."""
        result = roots.run_inside(
            roots.build_root(suite), {"/source": fixtures.SOURCE, "/test": self.folder, "/keep": fixtures.test_cache()}, script,
            CCACHE_DIR=f"/keep/ccache-{suite}", XDG_CACHE_HOME=f"/test/cache-{suite}", UV_CACHE_DIR=f"/test/uv-{suite}")
        self.assertEqual(result.returncode, 0, f"{suite}:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")

    def test_debian_12_and_13_make_the_same_image(self):
        project = self.small_project()
        text = (project / "pyproject.toml").read_text()
        self.assertIn(str(fixtures.debian_base()), text)
        mirror = fixtures.mirror()
        system = f'[tool.veneer.system]\npackages = ["zlib1g-dev"]\n' + (f'mirror = "{mirror[0]}"\n' if mirror else "")
        text = text.replace(f'base = "oci:{fixtures.debian_base()}"\n', f'base = "debian:bookworm"\n\n{system}')
        (project / "pyproject.toml").write_text(text)
        fixtures.commit_all(project, "Debian by name")
        images = {}
        for suite in ("bookworm", "trixie"):
            self.inside(suite, f"""\
                cmake -S /source -B /keep/build-{suite} -G Ninja -DCMAKE_BUILD_TYPE=Release -DVENEER_TESTS=OFF >/dev/null
                cmake --build /keep/build-{suite} --target veneer
                cp -r /test/shop /tmp/shop
                cd /tmp/shop
                /keep/build-{suite}/veneer build --json >/test/{suite}.json
                cp -r .veneer /test/layout-{suite}""")
            images[suite] = json.loads((self.folder / f"{suite}.json").read_text())
        old, new = images["bookworm"], images["trixie"]
        for left, right in zip(old["layers"], new["layers"], strict=True):
            with self.subTest(left["title"]):
                self.assertEqual((left["diff_id"], left["digest"]), (right["diff_id"], right["digest"]))
        self.assertEqual((old["config"], old["manifest"]), (new["config"], new["manifest"]))
        listed = {suite: sorted(path.name for path in (self.folder / f"layout-{suite}" / "blobs" / "sha256").iterdir()) for suite in images}
        self.assertEqual(listed["bookworm"], listed["trixie"])


if __name__ == "__main__":
    fixtures.main()
