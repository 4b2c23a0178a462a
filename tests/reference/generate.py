"""Small nasty policies and histories of calls, the same for the same seed and index.

Every policy loads: a load error is a mistake in here, or in the loader.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, TypeVar

from .evaluator import Call
from .words import (
    ANY_COMPARISONS,
    BIG,
    COMPARISONS,
    DAYS,
    GRANTS,
    KEYS,
    LOOKALIKES,
    MIDNIGHTS,
    NAMES,
    NUMBER_PATHS,
    ODD,
    ODD_NAMES,
    OFTEN,
    PER,
    PERIODS,
    RULE_NAMES,
    SCHEMAS,
    STEPS,
    TEXT_SCHEMAS,
    TIMEZONES,
    TOOL_GLOBS,
    TOOLS,
    USUAL,
    WINDOWS,
)

T = TypeVar("T")
Tree = dict[str, Any]


class Case(NamedTuple):
    """Policies that hold together, and the calls of one session or of several in their order."""

    policies: list[Tree]
    grants: tuple[str, ...]
    """Of each session."""
    calls: list[Call]


def case(seed: int, index: int, calls: int = 25) -> Case:
    """Case number `index` of `seed`."""
    return Generator(Random(f"{seed}/{index}")).case(calls)


class Generator:
    """Draws from `random`; each case has its own."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.kind = "tool"
        self.keys = tuple(random.sample(KEYS, random.choice((1, 2, 2, 3))))
        self.windows = random.sample(WINDOWS, 2)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self, values: Sequence[T]) -> T:
        return self.random.choice(values)

    def some(self, values: Sequence[T], most: int) -> list[T]:
        return self.random.sample(values, self.random.randint(1, most))

    def case(self, calls: int) -> Case:
        policies = [self.policy() for _ in range(2 if self.chance(0.12) else 1)]
        if len(policies) == 1 and self.chance(0.01):
            policies.append(self.policy())
            policies.append(self.policy())
        grants = tuple(self.one(GRANTS) for _ in range(self.one((2, 2, 3)) if self.chance(0.3) else 1))
        return Case(policies, grants, self.calls(policies, grants, calls))

    # --- policies -------------------------------------------------------------------------------------------------

    def policy(self) -> Tree:
        tree: Tree = {}
        if self.chance(0.3):
            tree["version"] = self.one(("1", 1))
        if self.chance(0.85):
            tree["default"] = self.one(("deny", "deny", "allow"))
        if self.chance(0.06):
            tree["mode"] = self.one(("shadow", "shadow", "enforce"))
        if self.chance(0.3):
            tree["timezone"] = self.one(TIMEZONES)
        if self.chance(0.12):
            tree["hide"] = self.some(TOOLS + TOOL_GLOBS[:-1], 2)
        if self.chance(0.1):
            tree["hide_denied"] = self.one((True, False))
        tree["tools"] = self.section("tool")
        if "*" not in tree["tools"] and self.chance(0.15):
            self.kind = "tool"
            tree["all_tools"] = self.entry("tool", "*")
        for kind, key in (("resource", "resources"), ("prompt", "prompts")):
            if self.chance(0.08):
                tree[key] = self.section(kind)
        items = list(tree.items())
        self.random.shuffle(items)
        return dict(items)

    def section(self, kind: str) -> Tree:
        self.kind = kind
        exact, globs = NAMES[kind]
        names = self.some(exact, min(3, len(exact)))
        if self.chance(0.6):
            names += self.some(globs, 2)
        if self.chance(0.03):
            names.append(self.one(LOOKALIKES)(names[0]))
        self.random.shuffle(names)
        return {name: self.entry(kind, name) for name in names if name.strip()}

    def entry(self, kind: str, name: str) -> Tree | None:
        roll = self.random.random()
        if roll < 0.2:
            nothing: Sequence[Tree | None] = ({}, {}, {"rules": []}, None)
            return self.one(nothing) if kind != "tool" or name != "*" else {}
        if roll < 0.5:
            return self.rule(name)
        entry: Tree = {}
        if roll < 0.58:
            entry = self.rule(name)
            if entry.keys() <= {"name", "mode", "on_deny", "reason"} or not entry.keys() & {
                "action", "require", "conditions", "arguments", "rate_limit", "limits", "state"
            }:  # fmt: skip
                entry["limits"] = [self.limit()]
        if roll < 0.95:
            entry["rules"] = [self.rule(name) for _ in range(self.one((1, 1, 2, 2, 3)))]
        if roll > 0.88:
            entry["deny_if"] = [self.deny_if() for _ in range(self.one((1, 1, 2)))]
        return entry

    def deny_if(self) -> Tree:
        tree: Tree = {"conditions": [self.condition() for _ in range(self.one((1, 1, 2)))]}
        if self.chance(0.05):
            tree["conditions"] = []
        return self.named(tree)

    def named(self, tree: Tree) -> Tree:
        if self.chance(0.15):
            tree["name"] = self.one(RULE_NAMES)
        if self.chance(0.2):
            tree[self.one(("on_deny", "reason"))] = "Not like this."
        return tree

    def rule(self, entry: str) -> Tree:
        rule: Tree = {}
        roll = self.random.random()
        if roll < 0.4:
            self.limited(rule)
        elif roll < 0.62:
            key = self.one(("require", "require", "conditions"))
            rule[key] = [self.condition(require=key == "require") for _ in range(self.one((1, 1, 1, 2)))]
        elif roll < 0.8:
            rule["action"] = "deny"
            for key in self.one((("when",), ("conditions",), ("when", "conditions"))):
                rule[key] = [self.condition() for _ in range(self.one((1, 1, 2)))]
            if self.chance(0.15):
                rule = {"action": "deny"}
        elif roll < 0.88:
            rule["arguments"] = self.schema()
        elif roll < 0.95:
            most: Any = self.one((1, 2, 3, 10, Decimal("2.5")))
            op = "lte" if most == 1 else self.one(("lt", "lte", "lte"))
            owner = "_global" if entry == "*" else entry
            counter = self.one(("spend", "calls"))
            rule["conditions"] = [{"path": f"state.{owner}.{counter}", "op": op, "value": most}]
            rule["state"] = {"counter": counter, "window": self.one(self.windows)}
            if self.chance(0.4):
                rule["state"] |= self.one(
                    ({"increment": 1}, {"increment": 0}, {"increment_from": self.one(NUMBER_PATHS)})
                )
            if self.chance(0.2):
                rule["conditions"].append(self.condition())
        if "action" not in rule and "state" not in rule and self.chance(0.1):
            rule["action"] = "require_approval"
            if self.chance(0.5):
                rule.setdefault("when", []).append(self.condition())
        if "action" not in rule and self.chance(0.15):
            rule["action"] = self.one(("allow", "evaluate"))
        if self.chance(0.15):
            rule.setdefault("when", []).append(self.condition())
        if self.chance(0.1):
            rule["after"] = self.one((self.one(TOOLS), self.some(TOOLS, 2), [self.one(TOOL_GLOBS)]))
            if self.chance(0.4):
                rule["after_scope"] = self.one(("grant", "grant", "session"))
        if self.chance(0.06):
            rule["mode"] = self.one(("shadow", "shadow", "enforce"))
        if rule.get("action") != "deny" and self.chance(0.08):
            self.limited(rule)
        return self.named(rule)

    # --- limits ---------------------------------------------------------------------------------------------------

    def limited(self, rule: Tree) -> None:
        roll = self.random.random()
        if roll < 0.4:
            most = self.one((1, 2, 3, 5))
            window = self.one(self.windows)
            text = isinstance(window, str) and self.chance(0.7)
            rule["rate_limit"] = f"{most}/{window}" if text else {"max": most, "window": window}
        if roll > 0.35:
            rule["limits"] = [self.limit() for _ in range(self.one((1, 1, 1, 2)))]

    def limit(self) -> Tree:
        limit: Tree = {}
        if self.chance(0.45):
            limit["counter"] = self.one(("c", "c", "d"))
        if self.chance(0.2):
            limit["scope"] = self.one(("grant", "global", "session"))
        if self.chance(0.3):
            limit["per"] = self.per()
        if self.chance(0.15):
            return {"max_concurrent": self.one((1, 1, 2, 3)), **limit}
        limit |= {"max": self.one((1, 2, 3, 5, 10)), "window": self.one(self.windows)}
        if self.chance(0.25):
            limit |= {"window": self.one(PERIODS), "align": "calendar"}
            if self.chance(0.4):
                limit["timezone"] = self.one(TIMEZONES)
        elif self.chance(0.1):
            limit["align"] = "sliding"
        if self.chance(0.3):
            limit["cost"] = {"from": self.one(NUMBER_PATHS)}
            limit["max"] = self.one((5, 10, 10, Decimal("10.00"), Decimal("0.3"), 20, BIG))
        elif self.chance(0.15):
            limit |= self.one(
                (
                    {"cost": Decimal("0.5")},
                    {"cost": 1},
                    {"cost": 0},
                    {"increment": 1},
                    {"increment_from": "args.amount"},
                )
            )
        elif self.chance(0.1):
            limit["max"] = self.one((Decimal("2.5"), Decimal("1.0")))
        return limit

    def per(self) -> Any:
        return self.one((*PER, *(f"args.{key}" for key in self.keys)))

    # --- conditions -----------------------------------------------------------------------------------------------

    def condition(self, depth: int = 0, *, require: bool = False) -> Tree:
        if depth < 2 and self.chance(0.2):
            word = self.one(("all", "any", "not", "not"))
            if word == "not":
                return {"not": self.condition(depth + 1)}
            return {word: [self.condition(depth + 1, require=require) for _ in range(self.one((1, 2, 2)))]}
        leaf = self.surroundings() if self.chance(0.2) else self.of_argument(self.one(self.keys))
        if require and self.chance(0.12):
            leaf["optional"] = self.one((True, True, False))
        if require and depth == 0 and self.chance(0.1):
            leaf["on_deny"] = "Not this."
        return leaf

    def surroundings(self) -> Tree:
        if self.kind != "tool":
            return {"path": "grant", "op": self.one(("eq", "neq")), "value": self.one(GRANTS)}
        hint = self.one(("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint", "title"))
        path, op, value = self.one((
            ("tool.name", "eq", self.one(TOOLS)),
            ("tool.name", self.one(("glob", "starts_with")), "send_"),
            ("tool.name", "in", self.some(TOOLS, 3)),
            (f"tool.annotations.{hint}", self.one(("eq", "neq")), self.one((True, False))),
            (f"tool.annotations.{hint}", "exists", self.one((True, False))),
            ("grant", self.one(("eq", "neq")), self.one(GRANTS)),
            ("now.hour", self.one(("lt", "gte", "lte")), self.one((0, 8, 9, 12, 17, 23))),
            ("now.minute", self.one(("lt", "gte")), self.one((15, 30))),
            ("now.weekday", self.one(("in", "not_in")), self.some(DAYS, 4)),
            ("now.weekday", self.one(("eq", "neq")), self.one(DAYS)),
        ))  # fmt: skip
        return {"path": path, "op": op, "value": value}

    def of_argument(self, key: str) -> Tree:
        paths, comparisons = COMPARISONS[key]
        op, value = self.one(comparisons)
        roll = self.random.random()
        if roll < 0.08:
            op, value = "exists", self.one((True, True, False))
        elif roll < 0.14:
            op, value = self.one(ANY_COMPARISONS)
        return {"path": self.one(paths), "op": op, "value": value}

    # --- argument schemas -----------------------------------------------------------------------------------------

    def schema(self) -> Tree:
        schema: Tree = {"properties": {key: self.subschema(key) for key in self.keys}}
        if self.chance(0.4):
            schema["type"] = "object"
        if self.chance(0.3):
            schema["required"] = [self.one(self.keys)]
        if self.chance(0.3):
            schema["additionalProperties"] = self.one((False, True, {"type": "string"}))
        if self.chance(0.15):
            key = self.one(self.keys)
            schema["$defs"] = {"part": self.subschema(key)}
            schema["properties"][key] = {"$ref": "#/$defs/part"}
        if "$defs" not in schema and self.chance(0.1):
            return {self.one(("allOf", "anyOf", "oneOf")): [schema, {"type": "object"}]}
        return schema

    def subschema(self, key: str) -> Any:
        return self.one(SCHEMAS.get(key, TEXT_SCHEMAS))

    # --- calls ----------------------------------------------------------------------------------------------------

    def calls(self, policies: list[Tree], grants: tuple[str, ...], count: int) -> list[Call]:
        now = float(self.random.randrange(1_700_000_000, 1_760_000_000))
        if self.chance(0.3):
            now = float(self.one(MIDNIGHTS) - self.one((0, 1, 59, 1800, 3600, 7200, 86400)))
        now += self.one((0.0, 0.5))
        steps = self.one(STEPS)
        annotations = {name: self.annotations() for name in TOOLS}
        favourites = [self.name(policies) for _ in range(4)]
        calls: list[Call] = []
        for _ in range(count):
            now += self.one(steps)
            if calls and self.chance(0.35):
                last = self.one(calls[-2:])
                calls.append(self.made(last.kind, last.name, last.arguments, last.annotations, now, len(grants)))
                continue
            kind, name = self.one(favourites) if self.chance(0.6) else self.name(policies)
            arguments = {} if kind == "resource" else self.arguments()
            hints = annotations.get(name, {}) if kind == "tool" else None
            calls.append(self.made(kind, name, arguments, hints, now, len(grants)))
        return calls

    def made(self, kind: str, name: str, arguments: Tree, hints: Tree | None, now: float, sessions: int) -> Call:
        lasts = self.one((1, 2, 5, 100)) if self.chance(0.4) else 0
        session = self.random.randrange(sessions)
        return Call(kind, name, arguments, hints, now, answered=self.chance(0.85), lasts=lasts, session=session)

    def name(self, policies: list[Tree]) -> tuple[str, str]:
        policy = self.one(policies)
        kinds = ["tool"] * 4 + [
            kind for kind, key in (("resource", "resources"), ("prompt", "prompts")) if key in policy
        ]
        kind = self.one(kinds) if self.chance(0.98) else self.one(("resource", "prompt"))
        exact, _ = NAMES[kind]
        keys = [key for key in policy.get({"tool": "tools"}.get(kind, kind + "s"), {}) if key != "*"]
        roll = self.random.random()
        if keys and roll < 0.8:
            key = self.one(keys)
            return kind, key.replace("*", self.one(("", "a", "ex", "b", "a"))) if "*" in key else key
        if roll < 0.9:
            return kind, self.one(exact)
        if roll < 0.95:
            return kind, self.one(LOOKALIKES)(self.one(keys or exact))
        return kind, self.one(ODD_NAMES)

    def annotations(self) -> Tree | None:
        if self.chance(0.1):
            return None
        hints: Tree = {}
        for hint in ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"):
            if self.chance(0.25):
                hints[hint] = self.one((True, False))
        if self.chance(0.2):
            hints["title"] = "A tool"
        return hints

    def arguments(self) -> Tree:
        arguments: Tree = {}
        for key in (*self.keys, *self.some(KEYS, 2)):
            roll = self.random.random()
            if roll < 0.45:
                arguments[key] = self.one(OFTEN[key])
            elif roll < 0.9:
                arguments[key] = self.one(USUAL[key])
            elif roll < 0.95:
                arguments[key] = self.one(ODD)
        return arguments
