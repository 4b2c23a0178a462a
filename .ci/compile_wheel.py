"""Compile the modules that every message passes through to machine code with mypyc, into the wheel that is built.

    HATCH_BUILD_HOOKS_ENABLE=1 pip install .

The sources stay what they are: without this, or without a compiler, the same files run interpreted. Nothing is written
into the working tree, so that machine code of older sources is never imported from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SETUP = """\
from mypyc.build import mypycify
from setuptools import setup

options = ["--python-version=3.11", "--ignore-missing-imports", "--follow-untyped-imports", "--no-incremental"]
modules = mypycify([*options, *{files!r}], opt_level="2", debug_level="0", group_name="intercept")
setup(name="intercept", ext_modules=modules)
"""


class CompileHook(BuildHookInterface[Any]):
    """Adds the compiled form of `modules` to a wheel; Python prefers it to the source beside it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, but for an editable installation: there a change of the source must show at once."""
        if version == "editable":
            return
        self.work = Path(tempfile.mkdtemp())
        shutil.copytree(Path(self.root, "src"), self.work, dirs_exist_ok=True)
        files = [f"intercept/{name}.py" for name in self.config["modules"]]
        (self.work / "setup.py").write_text(SETUP.format(files=files), encoding="utf-8")
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "compiled"]
        subprocess.run(command, cwd=self.work, check=True, env=os.environ | {"MYPYPATH": str(self.work)})  # noqa: S603
        compiled = self.work / "compiled"
        for path in compiled.rglob("*.so"):
            build_data["force_include"][str(path)] = str(path.relative_to(compiled))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if version != "editable":
            shutil.rmtree(self.work)
