#!/usr/bin/env python3
"""Images on other bases than one that veneer makes, run as their user: a name, a home. repro/chroot_test.py has that one."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import asking  # noqa: E402
import fixtures  # noqa: E402
import layouts  # noqa: E402


class Bases(asking.AskingTest):
    def project(self, base: str, table: str = "") -> Path:
        path = self.folder / f"shop-{len(list(self.folder.iterdir()))}"
        path.mkdir()
        (path / "pyproject.toml").write_text(
            f'[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n\n[tool.veneer]\nbase = "{base}"\n[tool.veneer.image]\n{table}\n')
        (path / "main.py").write_text(asking.PROGRAM)
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment())
        fixtures.git(path, "init", "-q", "-b", "main")
        fixtures.commit_all(path, "First")
        return path

    def test_the_user_of_another_base(self):
        base = f"oci:{fixtures.debian_base()}"
        unknown = self.run_image(self.built(self.project(base, 'user = "1234:100"\nwritable = ["/home/app/.cache"]')))
        self.assertEqual((unknown["name"], unknown["group"], unknown["home"], unknown["writable"]), ("app", "users", "/home/app", True))
        known = self.run_image(self.built(self.project(base, 'user = "33"')))
        self.assertEqual((known["name"], known["group"], known["home"], known["writable"]), ("www-data", "www-data", "/var/www", True))
        root = self.run_image(self.built(self.project(base, 'user = "0"')))
        self.assertEqual((root["name"], root["home"], root["writable"]), ("root", "/root", True))

    def test_what_base_and_project_say_goes_before(self):
        lines = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nshopkeeper:x:1000:7:,,,:/srv/shop:/bin/sh\n",
                 "etc/group": b"root:x:0:\nlp:x:7:\n"}
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "with-user", lines)
        said = self.run_image(self.built(self.project(f"oci:{base}")))
        self.assertEqual((said["name"], said["group"], said["home"], said["writable"]), ("shopkeeper", "shopkeeper", "/srv/shop", True))
        said = self.run_image(self.built(self.project(f"oci:{base}", 'env = { HOME = "/tmp" }')))
        self.assertEqual((said["home"], said["passwd"]), ("/tmp", "/srv/shop"))

    def test_a_home_that_the_base_sets_stays(self):
        lower = self.project(f"oci:{fixtures.debian_base()}", 'env = { HOME = "/data" }\nwritable = ["/data"]')
        self.assertEqual(self.json("build", "--json", cwd=lower)["findings"], [])
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}")))
        self.assertEqual((said["home"], said["passwd"], said["writable"]), ("/data", "/home/app", True))
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}", 'env = { HOME = "/tmp" }')))
        self.assertEqual(said["home"], "/tmp")
        # What was only the home of the base's user is not another one's.
        lower = self.built(self.project(f"oci:{fixtures.debian_base()}"))
        said = self.run_image(self.built(self.project(f"oci:{lower / '.veneer'}", 'user = "0"')))
        self.assertEqual(said["home"], "/root")

    def test_a_home_that_its_user_cannot_write_to_is_said(self):
        base = f"oci:{fixtures.debian_base()}"
        for user, home, what in (("65534:65534", "/nonexistent", "is not in the image"), ("1:1", "/usr/sbin", "is not writable for it")):
            path = self.project(base, f'user = "{user}"')
            for command in ("build", "plan"):
                findings = self.json(command, "--json", cwd=path)["findings"]
                self.assertEqual([finding.split(";")[0] for finding in findings], [f"the home of the user {user}, {home}, {what}"])
            self.assertIn("name another user", self.veneer("build", cwd=path).stderr)
            said = self.run_image(path)
            self.assertEqual((said["home"], said["writable"]), (home, False))
            # The cure that is named.
            cured = self.project(base, f'user = "{user}"\nenv = {{ HOME = "/data" }}\nwritable = ["/data"]')
            self.assertEqual(self.json("build", "--json", cwd=cured)["findings"], [])
            said = self.run_image(cured)
            self.assertEqual((said["home"], said["writable"]), ("/data", True))

    def test_the_account_is_part_of_its_layers_key(self):
        """Another passwd of the base makes another layer of ours, with one cache."""
        one = self.project(f"oci:{fixtures.debian_base()}")
        self.veneer("build", cwd=one)
        lines = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n", "etc/group": b"root:x:0:\napp:x:5:\n"}
        base = layouts.with_layer(fixtures.debian_base(), self.folder / "other-base", lines)
        said = self.run_image(self.built(self.project(f"oci:{base}")))
        self.assertEqual((said["name"], said["group"], said["home"]), ("app1000", "app1000", "/home/app1000"))

    def built(self, path: Path) -> Path:
        self.veneer("build", cwd=path)
        return path


if __name__ == "__main__":
    fixtures.main()
