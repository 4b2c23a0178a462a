"""Hosts, files and networks under evasion: what is written to be read differently never passes as what it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.policy.places import Hosts, Networks, Roots
from intercept.values import MalformedError

HOSTS = Hosts.parse(["example.com", ".apis.example", "xn--bcher-kva.example", "127.0.0.1", "[::1]"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/",
        "ws://example.com/a?b#c",
        "WSS://EXAMPLE.COM/",
        "https://example.com:8443/x",
        "https://example.com./x",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com/@evil.example",
        "https://example.com/https://evil.example",
        "https://a.apis.example/",
        "https://a.b.apis.example/",
        "https://b\u00fccher.example/",
        "https://B\u00dcCHER.example/",
        "https://bu\u0308cher.example/",
        "https://XN--BCHER-KVA.example/",
        "https://\uff45xample.com/",
        "https://example\u3002com/",
        "https://example\uff0ecom/",
        "http://127.0.0.1:80/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::1]:8080/",
        "http://[0:0:0:0:0:0:0:1]/",
    ],
)
def test_a_host_is_recognised_in_every_plain_spelling(url: str) -> None:
    assert HOSTS.hold(url) is True


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "/example.com",
        "https:example.com",
        "https:/example.com",
        "https:///example.com",
        "https://",
        "ftp://example.com/",
        "file://example.com/",
        "javascript://example.com/%0aalert(1)",
        "https://evil.example/",
        "https://evil.example/example.com",
        "https://evil.example?example.com",
        "https://evil.example#example.com",
        "https://example.com.evil.example/",
        "https://notexample.com/",
        "https://apis.example/",
        "https://evilapis.example/",
        "https://.apis.example/",
        "https://a..apis.example/",
        "https://example.com../",
        # Userinfo.
        "https://example.com@evil.example/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://example.com:80@evil.example/",
        "https://evil.example\uff20example.com/",
        # Ports.
        "https://example.com:/",
        "https://example.com:80:80/",
        "https://example.com:99999/",
        "https://example.com:8\uff10/",
        "https://example.com:evil/",
        # Backslashes, spaces, controls, what nobody sees.
        "https://example.com\\@evil.example/",
        "https://evil.example\\.example.com/",
        "https:\\\\example.com/",
        "https://example.com /",
        " https://example.com/",
        "https://example.com/ x",
        "https://example.com\t/",
        "https://example.com\n/",
        "https://example.com\0.evil.example/",
        "https://exam\u00adple.com/",
        "https://example.com\u202e/",
        "https://example.com/\u00a0",
        # Slashes and dots in other scripts.
        "https://evil.example\u2215.apis.example/",
        "https://evil.example\u2044.apis.example/",
        "https://evil.example\uff0f.apis.example/",
        "https://evil.example\uff1f.apis.example/",
        "https://evil.example\uff03.apis.example/",
        "https://evil\u2100.apis.example/",
        "https://\u2603.example/",
        # Look-alikes.
        "https://ex\u0430mple.com/",
        "https://xn--example-.com/",
        # Not these addresses.
        "http://127.0.0.2/",
        "http://127.0.0.1.evil.example/",
        "http://2130706434/",
        "http://4294967296/",
        "http://127.0.0.1.0/",
        "http://127.0.0.256/",
        "http://256.0.0.1/",
        "http://0x7f.evil.1/",
        "http://[::2]/",
        "http://[::1/",
        "http://::1/",
        "http://[127.0.0.1]/",
        "http://[::1%25eth0]/",
        "http://[::1%eth0]/",
        "https://" + "a" * 64 + ".apis.example/",
        "https://" + "a." * 130 + "apis.example/",
        "https://-a.apis.example/",
        "https://a;b.apis.example/",
    ],
)
def test_another_host_or_no_url_is_not_among_them(url: str) -> None:
    assert HOSTS.hold(url) is False


@pytest.mark.parametrize(
    "url",
    [
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://017700000001/",
        "https://ex%61mple.com/",
        "https://evil.example%2f.apis.example/",
        "https://evil.example%00.apis.example/",
        "https://fa\u00df.example/",
        "https://\u03c3\u03c2.example/",
        "https://example.com\ufe0f/",
        "https://exam\u034fple.com/",
    ],
)
def test_a_host_that_programs_read_differently_cannot_be_judged(url: str) -> None:
    assert HOSTS.hold(url) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "*.example.com",
        "https://example.com",
        "example.com/",
        "example.com:443",
        "user@example.com",
        "a b",
        "a..b",
        "::1",
        "[::1",
        "0177.0.0.1",
        "256.1.1.1",
        "fa\u00df.example",
    ],
)
def test_what_is_no_host_is_a_mistake_at_load(text: str) -> None:
    with pytest.raises(MalformedError, match="is not a host"):
        Hosts.parse(["example.com", text])


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_urls(text: str) -> None:
    assert HOSTS.hold(f"https://{text}") in {True, False, None}
    assert HOSTS.hold(f"https://user@{text}") is not True


# --- files

ROOTS = Roots.parse(["/srv/data", "/home/user/My Files/"])


@pytest.mark.parametrize(
    "path",
    [
        "/srv/data",
        "/srv/data/",
        "/srv/data/a/b.txt",
        "/srv/data/.hidden",
        "/srv/data/...",
        "/srv/data/a..b",
        "/srv/data/~",
        "/srv//data///a",
        "//srv/data/a",
        "/srv/data/./a/../b",
        "/srv/other/../data/a",
        "/../srv/data/a",
        "/srv/data/a%20b",
        "/srv/data/100%",
        "/srv/data/a\\b",
        "/srv/data/\u00e9t\u00e9.txt",
        "/srv/data/Screenshot 10.00\u202fAM.png",
        "/home/user/My Files/x",
        "file:///srv/data/a",
        "FILE:///srv/data/a",
        "file://localhost/srv/data/a",
        "file:/srv/data/a",
        "file:///srv/data/a%20b",
    ],
)
def test_a_path_below_a_root_is_within_it(path: str) -> None:
    assert ROOTS.hold(path) is True


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/srv",
        "/srv/database",
        "/srv/data2/x",
        "/srv/data/..",
        "/srv/data/../x",
        "/srv/data/a/../../../etc/passwd",
        "/srv/data/./../../etc",
        "/etc/passwd",
        "srv/data/a",
        "./srv/data/a",
        "../srv/data/a",
        "data",
        "~",
        "~/x",
        "~user/srv/data",
        "$HOME/x",
        "C:/srv/data/x",
        "https://example.com/srv/data/x",
    ],
)
def test_a_path_elsewhere_and_a_relative_one_are_outside(path: str) -> None:
    assert ROOTS.hold(path) is False


@pytest.mark.parametrize(
    "path",
    [
        "/srv/data/%2e%2e/x",
        "/srv/data/%2E%2E%2Fx",
        "/srv/data/..%2f..%2fetc/passwd",
        "/srv/data/%252e%252e/x",
        "/srv/data/%25252e%25252e/x",
        "/srv/data/%" + "25" * 8 + "2e/x",
        "/srv/data/..\\..\\etc",
        "/srv/data/..%5c..%5cetc",
        "/srv/data\\..\\..\\etc",
        "\\srv\\data\\a",
        "%2fsrv/data/a",
        " /srv/data/a",
        "/srv/data/\uff0e\uff0e/x",
        "/srv/data/\u2025/x",
        "/srv/data/\u2024\u2024/x",
        "/srv/data/..\uff0f..\uff0fetc",
        "/srv/data/..\u2215..\u2215etc",
        "/srv/data/..\u2044..\u2044etc",
        "/srv/data/\uff05\uff12e\uff05\uff12e/x",
        "/srv/data/a\0/../../x",
        "/srv/data/%00",
        "/srv/data/a\nb",
        "/srv/data/a\x7f",
        "/srv/data/.\u200b./x",
        "/srv/data/a\u202egnp.exe",
        "/srv/data/\ud800",
        "/srv/data/%c0%ae%c0%ae/x",
        "/srv/data/%ff",
        "/SRV/DATA/a",
        "/Srv/data/../data/a",
        "file://evil.example/srv/data/a",
        "file:srv/data",
        "file:///srv/data/../../etc/%2e%2e",
        "file:///srv/data/#/../../etc",
        "file:///srv/data/?/../../etc",
        "file%3a///srv/data/a",
    ],
)
def test_a_path_that_is_inside_for_one_server_and_outside_for_another_is_never_inside(path: str) -> None:
    assert ROOTS.hold(path) is not True


@pytest.mark.parametrize(
    "path",
    [
        "/x/%2e%2e/etc/passwd",
        "/x/..\\etc/passwd",
        "/ETC/passwd",
        " /etc/passwd",
        "\\etc\\passwd",
        "/etc\0/x",
        "/x/.%00./etc",
    ],
)
def test_a_disguised_path_into_a_forbidden_root_is_never_outside(path: str) -> None:
    assert Roots.parse(["/etc"]).hold(path) is not False


def test_a_plain_path_under_the_root_of_everything_is_within_it() -> None:
    everything = Roots.parse(["/"])

    assert everything.hold("/any/where") is True
    assert everything.hold("/any/../../where") is True
    assert everything.hold("where") is False


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("C:\\Work\\a", True),
        ("C:/Work/a", True),
        ("c:\\Work\\a", True),
        ("C:\\Work\\..\\Work\\a", True),
        ("file:///C:/Work/a", True),
        ("C:\\Worker\\a", False),
        ("D:\\Work\\a", False),
        ("C:Work\\a", False),
        ("C:\\work\\a", None),
        ("C:\\Work\\..\\x", False),
        ("C:\\Work\\.. \\x", None),
        ("C:\\Work\\...\\x", None),
        ("C:\\Work.\\x", None),
        ("C:\\Work\\a.txt:stream", None),
        ("C:\\WORK~1\\a", None),
        ("\\\\?\\C:\\Work\\a", None),
        ("\\\\host\\share\\Work", None),
        ("\\Work\\a", None),
        ("/Work/a", None),
    ],
)
def test_windows_paths_are_compared_as_windows_reads_them(path: str, verdict: bool | None) -> None:
    assert Roots.parse(["C:\\Work"]).hold(path) is verdict


@pytest.mark.parametrize(
    "text", ["", "data", "./data", "~", "/srv/../etc", "/srv/%2e", "file:///srv", "/srv\0", "C:data", "/srv\\..\\x"]
)
def test_what_is_no_plain_absolute_path_is_a_mistake_at_load(text: str) -> None:
    with pytest.raises(MalformedError):
        Roots.parse(["/srv", text])


SEGMENTS = st.sampled_from(
    ["..", ".", "a", "srv", "data", "%2e%2e", "%2e.", "..\\..", "\uff0e\uff0e", "%252e%252e", "", " ", "~"]
)


@given(st.lists(SEGMENTS, max_size=8))
def test_what_is_inside_is_inside_in_every_decoding(segments: list[str]) -> None:
    from posixpath import normpath
    from unicodedata import normalize
    from urllib.parse import unquote

    path = "/srv/data/" + "/".join(segments)
    if ROOTS.hold(path) is not True:
        return
    for _ in range(4):
        for reading in (path, path.replace("\\", "/")):
            resolved = normpath("/" + reading.lstrip("/"))
            assert resolved == "/srv/data" or resolved.startswith("/srv/data/")
        path = normalize("NFKC", unquote(path))


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_paths(text: str) -> None:
    assert ROOTS.hold(text) in {True, False, None}


# --- networks

NETWORKS = Networks.parse(["10.0.0.0/8", "192.168.1.1", "2001:db8::/32", "::ffff:172.16.0.0/108"])


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0",
        "10.255.255.255",
        "10.1.0.0/16",
        "10.1.2.3/16",
        "10.0.0.0/8",
        "192.168.1.1",
        "192.168.1.1/32",
        "2001:db8::1",
        "2001:DB8:0:0::1",
        "2001:db8:1::/48",
        "::ffff:10.0.0.1",
        "::ffff:a00:1",
        "::ffff:10.0.0.0/104",
        "172.16.0.1",
        "167772161",
        "0xa000001",
        "10.1",
    ],
)
def test_an_address_or_block_inside_is_inside_however_it_is_written(text: str) -> None:
    assert NETWORKS.hold(text) is True


@pytest.mark.parametrize(
    "text",
    ["11.0.0.0", "9.255.255.255", "192.168.1.0", "192.168.1.2/32", "2001:db9::", "::1", "::a00:1", "184549376",
     "example.com", "localhost", "10.0.0.0.example"],
)  # fmt: skip
def test_another_address_and_a_name_are_outside(text: str) -> None:
    assert NETWORKS.hold(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.0.0.0/0",
        "10.0.0.0/7",
        "192.168.1.0/24",
        "::/0",
        "012.0.0.1",
        "10.0.0.01",
        "10.0.0.1 ",
        " 10.0.0.1",
        "10.0.0.1\n",
        "10.0.0.1\0",
        "\uff11\uff10.0.0.1/8",
        "10.0.0.1/33",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.255.255.255",
        "10.0.0.1:80",
        "[::1]:80",
        "fe80::1%eth0",
        "10.0.0.1,11.0.0.1",
        "10.0.0.1-10.0.0.9",
        "10.0.0.256",
        "10.0.0.1/8/8",
        "http://10.0.0.1/",
    ],
)
def test_a_block_partly_inside_and_what_programs_read_differently_cannot_be_judged(text: str) -> None:
    assert NETWORKS.hold(text) is None


@pytest.mark.parametrize("text", ["", "example.com", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "010.0.0.1"])
def test_what_is_no_address_or_block_is_a_mistake_at_load(text: str) -> None:
    with pytest.raises(MalformedError):
        Networks.parse(["10.0.0.0/8", text])


def test_a_block_that_begins_elsewhere_is_named_as_it_should_be_written() -> None:
    with pytest.raises(MalformedError) as refused:
        Networks.parse(["10.0.0.1/8"])

    assert refused.value.advice == "write `10.0.0.0/8`"


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_addresses(text: str) -> None:
    assert NETWORKS.hold(text) in {True, False, None}
