"""A policy-enforcing proxy between one MCP client and one stdio MCP server.

*Bytes become messages once, strictly (`wire`); a session decides what to do with each message without doing it
(`session`); a policy is compiled once and evaluated purely (`policy`); what a decision obliges us to do happens in one
place (`enforcement`); one module moves bytes (`relay`). What we do not understand is refused, never forwarded.*

In reading order, each knowing only what stands above it:

    errors        every exception, drawn as a tree
    clock         the time of day, anchored once; `hashes`: those of what is short
    values        the type of untrusted data, paths into it, the normal form of names
    detectors     secrets, addresses, card numbers and invisible characters in a text
    protocol      the names and numbers that MCP defines
    frames        a byte stream cut into lines
    wire          strict JSON-RPC: frame <-> Message
    policy/       model (the vocabulary), source and schema (the file), compile, conditions, evaluate
    answers       what the proxy itself writes: denials, errors
    uses          which tools, resources and prompts a request would use
    results       the texts in a message of the upstream; `screening` passes it, edits it or keeps it back
    pins/         definitions as they were reviewed: digests, the lock file, what changed, what a session withholds
    limits/       the counter port, window and calendar arithmetic, the stores: memory, SQLite, Redis, by scope
    approval/     a person decides: what is asked, through the client or of an operator, and what counts as yes
    actions       what a session says is to be done
    continuation  calls that need input, and are made again with it
    session       protocol state of one client and one upstream: Message -> Action
    audit/        records of every decision: what they say, how they hold each other, writing, reading
    lint/         what is unwise in a policy: an engine, and one module a rule
    catalogue/    what a live server offers, how dangerous each is (`risk`), and policies to begin with (`draft`)
    enforcement   admit(judge): evaluate, reserve, decide
    rehearsal     a session without peers, in virtual time; `trial` plays a policy's tests on it,
                  `replay` recorded sessions, `explanation` explains
    parking       where calls wait whose decision takes longer than a pump may
    upstream      the server's process: spawn, signal, leave nobody behind
    allocation    what the C library keeps of the memory of large messages
    pump          two threads that read both directions, one of them at a time
    outlet        the one writer of a destination
    relay         what is done with the bytes that come
    reload        a changed policy or lock file is put in force
    control       signals, timers, reload and endings, on the main thread
    cli/          one module a command

Two planes. The data plane is one thread that waits for both directions, decides under the session's lock and writes; a
second one takes over while the first has to wait for a reader. It needs no event loop and is running before one is
imported. The control plane waits for signals, timers and ends of streams and is woken through a pipe (`wakeup`). A slow
decision belongs to neither: `actions.Judge` and `Session.settle` are two steps so that anything may happen between
them, and a call that would make the pump wait for more than a reader is left to `parking`.

Invariants, each an absence: nothing in `wire`, `session`, `policy` (but its file reader) or `limits.windows` does I/O,
reads a clock or knows of threads; nothing but `relay` writes to the client or the upstream; nothing that arrived from
the client is forwarded as bytes; nothing here imports `mcp`.

To add: a protocol method, `protocol`; an operator, `policy/operators`; a store, `limits/` and its contract suite; a
command, `cli/`.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
