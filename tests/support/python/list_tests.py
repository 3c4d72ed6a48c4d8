#!/usr/bin/env python3
"""The test classes of Python files, one a line as "FILE CLASS", for tests/CMakeLists.txt: a class is an entry of ctest. Those that
only `./dev test --all` runs have " all" behind them."""

import importlib.util
import os
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True


def classes(path: Path, which: str) -> list[str]:
    os.environ["VENEER_TEST_ALL"] = which
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loader = unittest.defaultTestLoader
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, unittest.TestCase)]
    return [one.__name__ for one in found if one.__module__ == path.stem and loader.getTestCaseNames(one)]


def main() -> None:
    for word in sys.argv[1:]:
        path = Path(word)
        sys.path.insert(0, str(path.parent))
        always = classes(path, "")
        for name in classes(path, "1"):
            print(word, name if name in always else f"{name} all")


if __name__ == "__main__":
    main()
