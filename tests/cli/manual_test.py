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
