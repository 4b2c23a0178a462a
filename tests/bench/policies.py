"""Policies of the sizes that the budgets speak of, written as their authors would."""

from __future__ import annotations

import json

SCHEMA = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "maxLength": 4000},
        "path": {"type": "string", "pattern": "^/srv/"},
        "amount": {"type": "number", "minimum": 0, "maximum": 10000},
        "to": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "mode": {"enum": ["draft", "send"]},
    },
    "required": ["message"],
    "additionalProperties": False,
}

SIX_CONDITIONS = """\
      - require:
          - {path: args.amount, op: gt, value: 0}
          - {path: args.amount, op: lte, value: 500}
          - {path: args.currency, op: in, value: [BRL, EUR, USD]}
          - {path: args.to, op: regex, value: '^[a-z0-9.]+@example\\.com$'}
          - {path: args.items, op: length_lte, value: 20}
          - {path: args.note, op: not_contains, value: password}
"""


def relay_policy(tools: int = 50) -> str:
    """`tools` tools, everything allowed but `danger`: what the proxies are measured with."""
    names = ["echo", "result", *(f"tool_{n:04}" for n in range(tools - 3))]
    lines = ['version: "1"', "default: deny", "tools:", "  danger: {action: deny, reason: no danger}"]
    for n, name in enumerate(names):
        if n % 5 == 4:
            condition = "{path: args.amount, op: lte, value: 500}"
            lines += [
                f"  {name}:",
                "    rules:",
                f"      - require: [{condition}]",
                "        on_deny: too much",
            ]
        else:
            lines.append(f"  {name}: {{}}")
    return "\n".join(lines) + "\n"


def limits_policy(tools: int = 50, scope: str = "session") -> str:
    """The same, with three limits that every call of `echo` is charged to, wide enough never to refuse."""
    limits = [
        f"{{max: 100000000, window: second, scope: {scope}}}",
        f"{{max: 100000000, window: minute, scope: {scope}}}",
        f"{{max: 100000000, window: 1h, per: tool, scope: {scope}}}",
    ]
    return relay_policy(tools).replace("  echo: {}\n", f"  echo: {{limits: [{', '.join(limits)}]}}\n")


def decide_policy(tools: int = 50) -> str:
    """`plain`, `six` (6 conditions) and `schema` (an argument schema), and other tools up to `tools`."""
    lines = [
        'version: "1"',
        "default: deny",
        "tools:",
        "  plain: {}",
        "  six:",
        "    rules:",
        SIX_CONDITIONS.rstrip(),
    ]
    lines += ["  schema:", f"    arguments: {json.dumps(SCHEMA)}"]
    lines += [f"  tool_{n:04}: {{}}" for n in range(tools - 3)]
    return "\n".join(lines) + "\n"


def many_rules_policy(tools: int = 1000, rules_each: int = 5) -> str:
    """A large organisation's file: `tools` entries with `rules_each` rules of the kinds that people write."""
    kinds = (
        "      - {name: amount, require: [{path: args.amount, op: lte, value: 500}], on_deny: too much}",
        "      - {action: deny, when: [{path: args.path, op: starts_with, value: /etc}], reason: not there}",
        "      - rate_limit: 30/minute",
        "      - require: [{path: args.to, op: regex, value: '@example\\.com$'}]",
        "      - limits: [{max: 200, window: day}]",
    )
    lines = ['version: "1"', "default: deny", "tools:"]
    for n in range(tools):
        lines += [f"  tool_{n:04}:", "    rules:"]
        lines += [kinds[rule % len(kinds)] for rule in range(rules_each)]
    return "\n".join(lines) + "\n"
