#!/usr/bin/env python3
"""Private package indexes: whose credentials go where. Two servers on loopback, one of them with two indexes."""

import base64
import hashlib
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402

PASSWORDS = {"red": "pw-of-red", "blue": "pw-of-blue"}


class IndexServer:
    """Answers paths from a table. Those below an index of PASSWORDS want user "reader" and its password."""

    def __init__(self):
        self.pages: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []  # by veneer: path, "user:password" or ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                said = self.headers.get("Authorization", "")
                said = base64.b64decode(said.removeprefix("Basic ")).decode()
                if self.headers.get("User-Agent", "").startswith("veneer/"):
                    outer.asked.append((self.path, said))
                password = PASSWORDS.get(self.path.split("/")[1])
                body = outer.pages.get(self.path)
                status = 401 if password and said != f"reader:{password}" else 404 if body is None else 200
                body = body if status == 200 else b""
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", "Basic")
                if self.path.endswith("/"):
                    self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_HEAD(self):
                self.send_error(405)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def password_of(self, path: str) -> str:
        """What veneer sent with its last request for a path that ends so."""
        return [said for asked, said in self.asked if asked.endswith(path)][-1]


class Indexes(fixtures.SystemTest):
    def setUp(self):
        super().setUp()
        self.server, self.other = IndexServer(), IndexServer()
        self.addCleanup(self.server.close)
        self.addCleanup(self.other.close)
        self.publish("red", "part-red", self.server, "/red/files/")
        self.publish("red", "part-stray", self.other, "/files/")
        self.publish("blue", "part-blue", self.server, "/blue/files/")

    def publish(self, index: str, name: str, holder: IndexServer, folder: str) -> None:
        file = fixtures.wheel(self.folder / "wheels", name.replace("-", "_"), "1.0", {f"{name.replace('-', '_')}.py": "VALUE = 1\n"})
        holder.pages[folder + file.name] = file.read_bytes()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        page = f'<!DOCTYPE html><a href="http://{holder.address}{folder}{file.name}#sha256={digest}">{file.name}</a>'
        self.server.pages[f"/{index}/simple/{name}/"] = page.encode()

    def project(self, user_info: str = "") -> Path:
        """Its indexes lie on one host; `user_info` is a template for what stands before the host."""
        path = self.folder / "shop"
        path.mkdir()
        index = "".join(f'[[tool.uv.index]]\nname = "{name}"\nexplicit = true\n'
                        f'url = "http://{user_info.format(password=password)}{self.server.address}/{name}/simple"\n'
                        for name, password in PASSWORDS.items())
        (path / "pyproject.toml").write_text(f"""\
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["part-red", "part-stray", "part-blue"]
{index}
[tool.uv.sources]
part-red = {{ index = "red" }}
part-stray = {{ index = "red" }}
part-blue = {{ index = "blue" }}

[tool.veneer]
base = "oci:{fixtures.debian_base()}"
[tool.veneer.image]
cmd = ["python"]
""")
        (path / "main.py").write_text("print()\n")
        return path

    def lock(self, path: Path, **environment: str) -> None:
        subprocess.run(["uv", "lock", "--quiet"], cwd=path, check=True, env=self.environment(**environment))

    def build(self, path: Path, *arguments: str, code: int = 0, **environment: str) -> None:
        """And nothing that it prints tells a password."""
        for command in (("plan",), ("plan", "--json"), ("build",)):
            result = self.veneer(*command, *arguments, cwd=path, code=code, **environment)
            for password in PASSWORDS.values():
                self.assertNotIn(password, result.stdout + result.stderr)

    def by_name(self) -> dict:
        named = {f"UV_INDEX_{name.upper()}_PASSWORD": password for name, password in PASSWORDS.items()}
        return {**named, **{f"UV_INDEX_{name.upper()}_USERNAME": "reader" for name in PASSWORDS}}

    def assert_each_got_its_own(self) -> None:
        self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")
        self.assertEqual(self.server.password_of("/part_blue-1.0-py3-none-any.whl"), "reader:pw-of-blue")
        self.assertEqual({said for _, said in self.other.asked}, {""})

    def test_two_indexes_of_one_host_have_a_password_each(self):
        path = self.project()
        self.lock(path, **self.by_name())
        self.build(path, **self.by_name())
        self.assert_each_got_its_own()

    def test_user_info_of_an_index_is_used(self):
        path = self.project("reader:{password}@")
        self.lock(path)
        self.assertNotIn("pw-of", (path / "uv.lock").read_text())
        self.build(path)
        self.assert_each_got_its_own()

    def test_user_info_of_an_index_that_the_environment_names(self):
        path = self.project()
        self.lock(path, **self.by_name())
        self.build(path, UV_INDEX=" ".join(f"{name}=http://reader:{password}@{self.server.address}/{name}/simple"
                                           for name, password in PASSWORDS.items()))
        self.assert_each_got_its_own()

    def test_user_info_in_a_requirements_file(self):
        path = self.project()
        (path / "requirements.txt").write_text(f"--index-url http://reader:pw-of-red@{self.server.address}/red/simple\n"
                                               "part-red==1.0\npart-stray==1.0\n")
        self.build(path, "--frozen", "--lock", "requirements.txt")
        self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")
        self.assertEqual({said for _, said in self.other.asked}, {""})

    def test_a_page_of_links_is_an_index_too(self):
        """Its files lie beside it. uv does not say which of the pages or indexes lists a file."""
        path = self.project()
        (path / "requirements.txt").write_text(f"--no-index\n--find-links http://reader:pw-of-red@{self.server.address}/red/simple/part-red/\n"
                                               "part-red==1.0\n")
        self.build(path, "--frozen", "--lock", "requirements.txt")
        self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")

    def test_pages_of_links_of_the_project_and_of_the_environment(self):
        path = self.project()
        page = f"http://{{}}{self.server.address}/red/simple/part-red/"
        text = (path / "pyproject.toml").read_text()
        text = text[:text.index("[[tool.uv.index]]")] + text[text.index("[tool.veneer]"):].replace(
            "[tool.veneer]", '[tool.uv]\nno-index = true\nfind-links = ["%s"]\n[tool.veneer]', 1)
        text = text.replace(', "part-stray", "part-blue"', "")
        with_password = page.format("reader:pw-of-red@")
        for where, links, variables in (("project", with_password, {}), ("environment", page.format(""), {"UV_FIND_LINKS": with_password})):
            with self.subTest(where):
                (path / "pyproject.toml").write_text(text % with_password)
                self.lock(path)
                (path / "pyproject.toml").write_text(text % links)
                self.server.asked.clear()
                self.build(path, "--cache", str(self.folder / f"cache of {where}"), **variables)
                self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")

    def test_variables_in_a_requirements_file(self):
        path = self.project()
        text = f"--index-url HTTP://${{WHO}}:${{WORD}}@{self.server.address}/red/simple\npart-red==1.0\n"
        (path / "requirements.txt").write_text(text)
        self.build(path, "--frozen", "--lock", "requirements.txt", WHO="reader", WORD="pw-of-red")
        self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")

    def test_an_unknown_variable_in_a_requirements_file(self):
        """The index is open: what is not known is not sent."""
        self.publish("open", "part-open", self.server, "/open/files/")
        path = self.project()
        (path / "requirements.txt").write_text(f"--index-url http://${{WHO}}:${{WORD}}@{self.server.address}/open/simple\npart-open==1.0\n")
        self.build(path, "--frozen", "--lock", "requirements.txt", WHO="reader")
        self.assertEqual(self.server.password_of("/part_open-1.0-py3-none-any.whl"), "")

    def test_a_malformed_index_is_warned_of(self):
        """Where it stands is told, and the others are used."""
        path = self.project()
        self.lock(path, **self.by_name())
        text = (path / "pyproject.toml").read_text()
        (path / "pyproject.toml").write_text(text + '[[tool.uv.index]]\nname = "odd"\nurl = "https://reader:pw-of-red#x@host.example/simple"\n')
        result = self.veneer("plan", cwd=path, UV_INDEX="corp=https://reader:pw-of-red@host.example:port/", **self.by_name())
        self.assertIn("warning: [[tool.uv.index]] odd is not used: the URL https://*** is malformed", result.stderr)
        self.assertIn("warning: UV_INDEX is not used: the URL https://*** is malformed", result.stderr)
        self.assertEqual(result.stderr.count("is not used"), 2)
        self.build(path, **self.by_name())
        self.assert_each_got_its_own()

    def test_an_index_of_the_workspace(self):
        """The root names it; the member is built."""
        path = self.project("reader:{password}@")
        text = (path / "pyproject.toml").read_text().replace("[tool.uv.sources]", '[tool.uv.workspace]\nmembers = ["till"]\n\n[tool.uv.sources]')
        (path / "pyproject.toml").write_text(text)
        (path / "till").mkdir()
        (path / "till" / "main.py").write_text("print()\n")
        (path / "till" / "pyproject.toml").write_text('[project]\nname = "till"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
                                                      'dependencies = ["part-red", "part-stray", "part-blue"]\n')
        self.lock(path)
        self.build(path, "--package", "till")
        self.assert_each_got_its_own()

    def test_netrc_is_asked_for_the_server_that_was_named(self):
        """It knows hosts alone, so over plain http it is for the indexes that are so named."""
        path = self.project()
        self.lock(path, **self.by_name())
        netrc = self.folder / "netrc"
        netrc.write_text("machine 127.0.0.1 login reader password pw-of-red\n")
        self.build(path, code=5, NETRC=str(netrc))
        self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")
        self.assertEqual({said for _, said in self.other.asked}, {""})

    def test_netrc_knows_the_password_of_a_user_who_is_named(self):
        """By the index's URL or by its variable; an entry of another user is not for it."""
        netrc = self.folder / "netrc"
        netrc.write_text("machine 127.0.0.1 login other password pw-of-blue\n"
                         "machine 127.0.0.1 login reader password pw-of-red\n")
        path = self.project()
        self.lock(path, **self.by_name())
        text = (path / "pyproject.toml").read_text()
        for user_info, variables in (("reader@", {}), ("", {"UV_INDEX_RED_USERNAME": "reader"})):
            with self.subTest(user_info=user_info):
                (path / "pyproject.toml").write_text(text.replace("url = \"http://", f"url = \"http://{user_info}"))
                self.server.asked.clear()
                self.build(path, "--cache", str(self.folder / f"cache of {user_info}"), code=5, NETRC=str(netrc), **variables)
                self.assertEqual(self.server.password_of("/part_red-1.0-py3-none-any.whl"), "reader:pw-of-red")
                self.assertEqual({said for _, said in self.other.asked}, {""})

    def test_select_shows_no_user_info(self):
        (self.folder / "requirements.txt").write_text(f"part @ git+https://me:pw-of-red@host.example/part@{'0' * 40}\n")
        printed = self.veneer("select", "requirements.txt", "--python", "3.11.2").stdout
        self.assertIn("https://***@host.example/part", printed)

    def test_a_wrong_password_is_not_told(self):
        path = self.project()
        self.lock(path, **self.by_name())
        self.build(path, code=5, **{**self.by_name(), "UV_INDEX_RED_PASSWORD": "pw-of-blue"})


if __name__ == "__main__":
    fixtures.main()
