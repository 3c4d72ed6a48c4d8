#!/usr/bin/env python3
"""Help, manual page and completion: every command and option is in each, and the shells and man accept them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402


class Manual(fixtures.SystemTest):
    def commands(self) -> list[str]:
        text = self.veneer("help").stdout
        return re.findall(r"^  ([a-z]+) ", text.split("Commands:")[1], re.MULTILINE)

    def options(self, command: str) -> list[str]:
        return re.findall(r"^  (?:-\w, )?(--[a-z-]+)", self.veneer(command, "--help").stdout, re.MULTILINE)

    def test_every_command_explains_itself_with_examples(self):
        self.assertIn("build", self.commands())
        for command in self.commands():
            text = self.veneer(command, "--help").stdout
            self.assertEqual(text, self.veneer("help", command).stdout)
            self.assertIn(f"Usage: veneer {command}", text)
            self.assertIn("Examples:", text)

    def test_the_manual_page_has_every_command_and_option_and_renders(self):
        page = self.veneer("help", "--man").stdout
        plain = page.replace("\\-", "-")
        for command in self.commands():
            self.assertIn(f"\n.SS veneer {command}", plain)
            for option in self.options(command):
                if option != "--help":
                    self.assertIn(option, plain)
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_every_variable_that_is_read_is_in_the_manual_and_the_docs(self):
        """By the calls that read one in the source; what libraries and the standard library read is listed here."""
        by_libraries = {"CURLOPT_URL": {"https_proxy", "http_proxy", "all_proxy", "no_proxy"}, "temp_directory_path": {"TMPDIR"}}
        read, others = set(), set()
        for path in sorted((fixtures.SOURCE / "src").rglob("*")):
            if path.suffix not in (".cc", ".hh"):
                continue
            text = path.read_text()
            read.update(re.findall(r'\b(?:environment|getenv)\("([^"]+)"', text))
            if re.search(r'(?:[.>]environment|getenv)\((?!")', text):
                others.add(path.name)
            if path.name == "index_settings.cc":  # reads them in a loop
                read.update(name for name in re.findall(r'"(UV_[A-Z_]+)"', text) if not name.endswith("_"))
                read.update(f"UV_INDEX_<NAME>{end}" for end in re.findall(r'prefix \+ "(\w+)"', text))
            for call, names in by_libraries.items():
                if call in text:
                    read.update(names)
        # Where the call has no name: a loop whose names are added above, requirements files (which may ask for any), and what carries out the call.
        self.assertEqual(others, {"index_settings.cc", "build_session.cc", "locked_project.cc", "past_lock.cc", "past_application.cc", "init_project.cc", "select_command.cc", "context.cc",
                                  "uv_build.cc",
                                  "open_image.cc", "open_receiver.cc", "package_list.cc"})
        self.assertIn("UV_INDEX_<NAME>_PASSWORD", read)
        page = self.veneer("help", "--man").stdout.replace("\\-", "-")
        section = page.split(".SH ENVIRONMENT")[1].split(".SH ")[0]
        self.assertEqual(sorted(re.findall(r"^\.B (\S+)$", section, re.MULTILINE)), sorted(read))
        docs = (fixtures.SOURCE / "docs" / "environment.md").read_text().split("## Variables that veneer reads")[1].split("## ")[0]
        self.assertEqual(sorted(re.findall(r"^\| `(\S+)` \|", docs, re.MULTILINE)), sorted(read))

    def test_bash_completes_commands_and_options(self):
        script = self.veneer("completion", "bash").stdout
        def complete(*words: str) -> list[str]:
            line = " ".join(f"'{word}'" for word in words)
            result = subprocess.run(
                ["bash", "--norc", "-c", f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _veneer; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                capture_output=True, text=True)
            self.assertEqual(result.stderr, "")
            return result.stdout.split()
        self.assertEqual(complete("veneer", "bui"), ["build"])
        for command in self.commands():
            self.assertEqual(sorted(complete("veneer", command, "--")), sorted(self.options(command)))

    def test_other_shells_get_a_script_and_unknown_ones_an_error(self):
        for shell in ("zsh", "fish"):
            script = self.veneer("completion", shell).stdout
            for command in self.commands():
                self.assertIn(command, script)
            if shutil.which(shell):
                result = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.veneer("completion", "powershell", code=2)


if __name__ == "__main__":
    fixtures.main()
