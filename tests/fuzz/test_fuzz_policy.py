"""The fuzz targets run, and what they once found stays mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import fuzz_policy


def test_a_few_hundred_mutated_policies_load_or_are_refused_with_reasons(tmp_path: Path) -> None:
    tried, loaded = fuzz_policy.run(tmp_path / "policy.yaml", seed=1, enough=lambda tried: tried == 400)

    assert tried == 400
    assert 0 < loaded < 400


@pytest.mark.parametrize(
    "data",
    [
        b"a: 1e9999999999999999999999",
        b"default: [deny]",
        b"*" + b"a" * 5_000 + b": {}",
        b"tools: {? " + b"a" * 5_000 + b" : 5}",
        b"timezone: " + b"/".join([b"Europe"] * 500),
        b"timezone: Europe" + b".a" * 5_000 + b"/x",
        b"tools: {send: {require: [{path: args.u, op: host_in, value: '" + b"a/" * 5_000 + b"'}]}}",
    ],
)
def test_what_once_broke_the_loader_is_refused(data: bytes, tmp_path: Path) -> None:
    assert not fuzz_policy.check(data, tmp_path / "policy.yaml")
