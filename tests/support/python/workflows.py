"""Workflows for GitHub Actions, as far as `veneer init` writes them."""

import re


def steps_of(workflow: str, job: str = "image") -> dict[str, dict]:
    """The steps of a job that run something, by name: "run", "if" and "env" as they are written."""
    steps: dict[str, dict] = {}
    step: dict = {}
    for line in re.split(r"\n  (?=\S)", workflow.split(f"\n  {job}:", 1)[1])[0].splitlines():
        if match := re.fullmatch(r"      - name: (.*)", line):
            step = steps.setdefault(match[1], {"run": "", "env": {}, "if": "", "in": ""})
        elif line.startswith("      - uses"):
            step = {"run": "", "env": {}, "if": "", "in": ""}
        elif match := re.fullmatch(r"        (if|run): (.*)", line):
            step[match[1]], step["in"] = match[2].removeprefix("|"), match[1]
        elif line == "        env:":
            step["in"] = "env"
        elif line.startswith("          ") and step["in"] == "run":
            step["run"] += line[10:] + "\n"
        elif line.startswith("          ") and step["in"] == "env":
            name, value = line.strip().split(": ", 1)
            step["env"][name] = value
    return steps
