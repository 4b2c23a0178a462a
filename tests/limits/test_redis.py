"""The server: what is kept there, what can be wrong with it, and how it heals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from intercept.errors import StoreBusy, StoreUnavailable, UsageError
from intercept.limits import Granted
from intercept.limits.redis import RedisStore
from intercept.limits.state import LEASE, RENEW_EVERY, open_state
from intercept.limits.windows import MAX_ENTRIES
from intercept.policy import CalendarWindow, Charge, InFlight, Scope, Unit

from .charges import START, charge, passes, used_up
from .redis_server import RedisServer


@pytest.fixture
def store(empty_redis: RedisServer) -> Iterator[RedisStore]:
    """Time is what the test says it is."""
    with closing(RedisStore(empty_redis.url, grant="ours", follows_caller=True)) as made:
        yield made


@pytest.fixture
def real(empty_redis: RedisServer) -> Iterator[RedisStore]:
    """Time is what the server says it is."""
    with closing(RedisStore(empty_redis.url, grant="ours")) as made:
        yield made


def another(server: RedisServer) -> RedisStore:
    return RedisStore(server.url, grant="ours", follows_caller=True)


def keys(server: RedisServer) -> list[str]:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        return sorted(client.scan_iter())


def unavailable(store: RedisStore) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as raised:
        store.reserve([charge()], START, patience=5)
    assert "\n" not in f"{raised.value}{raised.value.remedy}"
    return raised.value


# --- the server


def test_whoever_cannot_wait_is_told_so_before_the_server_is_asked() -> None:
    store = RedisStore("redis://127.0.0.1:1/0", grant="ours")

    with pytest.raises(StoreBusy):
        store.reserve([charge()], START, patience=0.005)
    passes(store, [], START)


def test_the_clock_is_the_servers(real: RedisStore, empty_redis: RedisServer) -> None:
    hour = charge(1, 3_600)
    passes(real, [hour], 0.0)
    for elsewhere in (0.0, START, START * 2):
        answer = real.reserve([hour], elsewhere, patience=5)
        assert not isinstance(answer, Granted)
        assert answer.retry_after is not None
        assert 3_000 < answer.retry_after <= 3_600

    monthly = charge(1, CalendarWindow(Unit.MONTH, "Europe/Berlin", "calendar month"))
    passes(real, [monthly], 0.0)
    with closing(RedisStore(empty_redis.url, grant="ours")) as other:
        used_up(other, [monthly], START * 2)


def test_all_keys_of_a_policy_lie_in_one_slot(empty_redis: RedisServer) -> None:
    """A server in cluster mode takes no script whose keys do not."""
    directory = empty_redis.socket.parent / "cluster"
    directory.mkdir()
    cluster = RedisServer(directory, "--cluster-enabled", "yes")
    cluster.start()
    with redis.Redis.from_url(cluster.url) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while client.cluster("info")["cluster_state"] != "ok":
            pass
    calls = [charge(9, per="=a"), charge(9, counter="b"), charge(9, InFlight(), counter="c")]
    with closing(another(cluster)) as store:
        granted = passes(store, calls, START)
        store.release(granted)
        passes(store, calls, START)
        elsewhere = calls[0]._replace(key=("another.yaml", *calls[0].key[1:]))
        passes(store, [*calls, elsewhere], START)
        assert len(store.uses(START)) == 4
    cluster.stop()


def test_a_call_that_several_policies_charge_is_charged_by_all_or_none(store: RedisStore) -> None:
    def under(policy: str, limit: int, window: float) -> Charge:
        one = charge(limit, window)
        return one._replace(key=(policy, *one.key[1:]), counter=policy)

    wide, narrow = under("a.yaml", 3, 60), under("b.yaml", 1, 600)
    passes(store, [wide, narrow], START)

    assert used_up(store, [wide, narrow], START) == ("b.yaml", 600.0)
    assert used_up(store, [narrow, wide], START) == ("b.yaml", 600.0)
    passes(store, [wide], START)
    passes(store, [wide], START)
    assert used_up(store, [wide, narrow], START) == ("b.yaml", 600.0)


# --- what can be wrong with it


def test_a_server_that_stops_refuses_until_it_is_back(tmp_path: Path, empty_redis: RedisServer) -> None:
    directory = empty_redis.socket.parent / "kept"
    directory.mkdir()
    server = RedisServer(directory, "--save", "3600 1", "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    with closing(another(server)) as store:
        held = passes(store, [charge(2), charge(1, InFlight(), counter="slots")], START)
        server.stop()
        assert str(unavailable(store)) == "the state server cannot be reached"
        store.finish(held)
        store.renew(START)

        server.start()

        passes(store, [charge(2), charge(1, InFlight(), counter="slots")], START)
        used_up(store, [charge(2)], START)
    server.stop()


def test_a_script_that_the_server_forgot_is_given_again(store: RedisStore, empty_redis: RedisServer) -> None:
    passes(store, [charge(2)], START)
    with redis.Redis.from_url(empty_redis.url) as client:
        client.script_flush()

    passes(store, [charge(2)], START)
    used_up(store, [charge(2)], START)


def test_a_password_is_in_no_message(empty_redis: RedisServer) -> None:
    with redis.Redis.from_url(empty_redis.url) as client:
        client.acl_setuser("limits", enabled=True, passwords=["+right"], commands=["+@all"], keys=["*"])
    wrong = RedisStore(empty_redis.url.replace("unix://", "unix://limits:s3cret@"), grant="ours")
    error = unavailable(wrong)
    assert str(error) == "the state server does not take our name and password"
    assert "s3cret" not in f"{error}{error.remedy}{error.__cause__}"

    for url in ("redis://limits:s3cret@host:70000/0", "redis://limits:s3cret@host:port/0", "http://:s3cret@host"):
        with pytest.raises(UsageError) as raised:
            open_state(url, grant="ours")
        assert "s3cret" not in str(raised.value)


def test_a_server_without_room_or_without_writes_is_refused(store: RedisStore, empty_redis: RedisServer) -> None:
    passes(store, [charge(2)], START)
    with redis.Redis.from_url(empty_redis.url) as client:
        client.config_set("maxmemory", 1)
        assert str(unavailable(store)) == "the state server has no room"
        client.config_set("maxmemory", 0)
        client.replicaof("127.0.0.1", 1)
        assert str(unavailable(store)) == "the state server takes no writes"
        client.replicaof("NO", "ONE")

    passes(store, [charge(2)], START)
    used_up(store, [charge(2)], START)


def test_what_nobody_here_wrote_is_refused(store: RedisStore, empty_redis: RedisServer) -> None:
    passes(store, [charge()], START)
    [key] = [key for key in keys(empty_redis) if ":t:" in key]
    with redis.Redis.from_url(empty_redis.url) as client:
        client.set(key, "something else")

    assert str(unavailable(store)) == "the state server refuses what is asked of it"
    passes(store, [charge(counter="other")], START)


@pytest.mark.parametrize("place", ["http://host", "redis://host:port/0", "redis://[::1/0", "redis://host:70000/0"])
def test_a_place_that_cannot_be_is_a_mistake_in_the_command(place: str) -> None:
    with pytest.raises(UsageError, match="--state"):
        open_state(place, grant="ours")


def test_a_path_is_a_file_and_a_url_a_server(tmp_path: Path, empty_redis: RedisServer) -> None:
    for place in (str(tmp_path / "state.sqlite"), empty_redis.url):
        with closing(open_state(place, grant="ours")) as store:
            passes(store, [charge(1)], START)
            assert [use.counter for use in store.uses(START)] == ["calls"]


# --- calls in flight


def test_the_places_of_a_process_that_died_are_free_when_its_lease_has_ended(
    store: RedisStore, empty_redis: RedisServer
) -> None:
    slot = charge(1, InFlight())
    passes(another(empty_redis), [slot], START)  # and is never heard of again

    used_up(store, [slot], START + LEASE - 0.001)
    passes(store, [slot], START + LEASE)


def test_a_process_that_renews_its_lease_keeps_its_places(store: RedisStore, empty_redis: RedisServer) -> None:
    slot = charge(1, InFlight())
    held = passes(store, [slot], START)
    with closing(another(empty_redis)) as other:
        moment = START
        for _ in range(10):
            moment += RENEW_EVERY
            store.renew(moment)
            other.renew(moment)
            used_up(other, [slot], moment)

        store.finish(held)
        store.renew(moment)
        passes(other, [slot], moment)


def test_a_process_that_ends_frees_its_places_at_once(store: RedisStore, empty_redis: RedisServer) -> None:
    slot = charge(1, InFlight())
    ending = another(empty_redis)
    passes(ending, [slot], START)
    ending.close()

    passes(store, [slot], START)


# --- bounds


def test_everything_is_forgotten_by_itself(real: RedisStore, empty_redis: RedisServer) -> None:
    passes(real, [charge(3, per="=a"), charge(3, counter="b"), charge(3, InFlight(), counter="c")], START)

    with redis.Redis.from_url(empty_redis.url) as client:
        lives = {key: client.pttl(key) for key in keys(empty_redis)}
    assert len(lives) == 9
    assert all(0 < life <= 32 * 86_400_000 + 7_200_000 for life in lives.values())


def test_what_is_charged_on_and_on_is_kept_until_it_has_stopped_to_count(
    real: RedisStore, empty_redis: RedisServer
) -> None:
    hours = [charge(10**9, 7_200, per=value) for value in ("", "=a")]
    for _ in range(MAX_ENTRIES + 10):  # merged on the way, too
        passes(real, hours, START)
    with redis.Redis.from_url(empty_redis.url) as client:
        assert all(client.pttl(key) > 7_200_000 for key in keys(empty_redis))

        for key in keys(empty_redis):
            client.pexpire(key, 7_200_000)
            if ":t:" in key:
                client.hset(key, "kept", int(client.hget(key, "last") or 0))
        passes(real, hours, START)
        assert all(client.pttl(key) > 7_200_000 for key in keys(empty_redis) if ":a:" not in key)


def test_what_is_told_of_a_counter_follows_the_policy(store: RedisStore) -> None:
    for maximum in (3, 5, 4):
        passes(store, [charge(maximum)], START)
        assert [use.max for use in store.uses(START)] == [maximum]


def test_a_counter_has_a_bounded_number_of_entries(store: RedisStore, empty_redis: RedisServer) -> None:
    for call in range(MAX_ENTRIES + 10):
        passes(store, [charge(10**6, 10**6, cost="0.5")], START + call)

    [key] = [key for key in keys(empty_redis) if ":e:" in key]
    with redis.Redis.from_url(empty_redis.url) as client:
        assert client.llen(key) <= MAX_ENTRIES
    assert store.uses(START + MAX_ENTRIES + 10)[0].used == (MAX_ENTRIES + 10) / Decimal(2)


def test_more_live_values_than_a_counter_may_have_are_refused_until_one_is_free(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercept.limits.redis.MAX_LIVE", 1_000)  # so many would take a while
    for start in range(0, 1_000, 100):
        values = [charge(5, 60, per=f"={value}") for value in range(start, start + 100)]
        passes(store, values, START + start / 1_000)

    assert used_up(store, [charge(5, 60, per="=new")], START + 30) == ("calls", 30.0)
    passes(store, [charge(5, 60, per="=0")], START + 31)
    passes(store, [charge(5, 60, counter="other", per="=new")], START + 31)
    passes(store, [charge(5, 60, per="=new")], START + 60.5)


# --- what is told


def test_what_counters_hold_is_told_with_what_is_left_and_when_it_is_free(
    store: RedisStore, empty_redis: RedisServer
) -> None:
    shared = charge("1", 60, cost="0.25", counter="spend", per="=a:b")._replace(scope=Scope.GRANT)
    passes(store, [shared], START)
    with closing(another(empty_redis)) as other:
        passes(other, [shared._replace(cost=Decimal("0.5"))], START + 10)
        passes(other, [charge(3, InFlight(), counter="slots")], START + 10)
        passes(store, [charge(3, InFlight(), counter="slots"), charge(9, 5, counter="gone")], START + 10)

        told = {use.counter: use for use in other.uses(START + 20)}

    assert set(told) == {"spend", "slots"}
    spend, slots = told["spend"], told["slots"]
    assert (spend.value, spend.max, spend.used, spend.left) == (
        "=a:b",
        Decimal(1),
        Decimal("0.75"),
        Decimal("0.25"),
    )
    assert (spend.next_free, spend.all_free) == (START + 60, START + 70)
    assert (spend.policy, spend.scope, spend.grant) == ("policy.yaml", "grant", "ours")
    assert (slots.used, slots.left, slots.all_free) == (Decimal(2), Decimal(1), None)


def test_a_counter_that_is_reset_is_empty_and_it_is_recorded_who_did_it(
    store: RedisStore, empty_redis: RedisServer
) -> None:
    calls = [charge(1, per="=a"), charge(1, per="=b"), charge(1, counter="other"), charge(1, InFlight(), counter="s")]
    passes(store, calls, START)

    with closing(another(empty_redis)) as other:
        emptied = other.reset(lambda use: use.counter in {"calls", "s"} and use.value != "=b", "an operator", START + 1)

    assert sorted((use.counter, use.value) for use in emptied) == [("calls", "=a"), ("s", "")]
    for one in (calls[0], calls[3]):
        passes(store, [one], START + 1)
    for one in (calls[1], calls[2]):
        used_up(store, [one], START + 1)
    [key] = [key for key in keys(empty_redis) if key.endswith(":resets")]
    with redis.Redis.from_url(empty_redis.url) as client:
        kept = [json.loads(line) for line in client.lrange(key, 0, -1)]
    assert sorted((line["counter"], line["who"], line["at"]) for line in kept) == [
        ("calls", "an operator", START + 1),
        ("s", "an operator", START + 1),
    ]


def test_what_was_answered_is_known_to_all_sessions_of_the_grant_until_it_is_forgotten(
    store: RedisStore, empty_redis: RedisServer
) -> None:
    store.remember_answered("read", patience=5)
    with closing(another(empty_redis)) as other, closing(RedisStore(empty_redis.url, grant="a:b")) as third:
        assert (other.answered(patience=5), third.answered(patience=5)) == ({"read"}, set())
        third.remember_answered("read", patience=5)
        assert other.histories() == {"ours": {"read"}, "a:b": {"read"}}

        assert third.forget("an operator", START) == 1
        assert (third.forget("an operator", START), third.answered(patience=5)) == (0, set())
        assert other.answered(patience=5) == {"read"}
    assert len([key for key in keys(empty_redis) if key.endswith(":resets")]) == 1
    with pytest.raises(StoreBusy):
        store.answered(patience=0.005)


def test_redis_is_imported_when_a_server_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; from intercept.limits.state import open_state; open_state('x', grant='');"
        "assert 'redis' not in sys.modules; open_state('redis://h', grant=''); assert 'redis' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
