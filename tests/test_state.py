from __future__ import annotations

import pytest

from intercept.state import shown_state


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/var/lib/state.sqlite", "/var/lib/state.sqlite"),
        ("odd@name/state.sqlite?x", "odd@name/state.sqlite?x"),
        ("redis://localhost:6379/0", "redis://localhost:6379"),
        ("rediss://ana:s3cret@host:6380/1", "rediss://host:6380"),
        ("redis://:s3c/ret@x@host/1?password=s3cret", "redis://..."),
        ("redis://:s3cret@host", "redis://host"),
        ("unix:///run/redis.sock?db=1&password=s3cret", "unix:///run/redis.sock"),
        ("unix://:s3cret@/run/redis.sock", "unix:///run/redis.sock"),
        ("redis://host?password=s3c@ret", "redis://host"),
    ],
)
def test_a_place_is_shown_without_what_opens_it(place: str, shown: str) -> None:
    assert shown_state(place) == shown
