"""Policies from text, and the decisions that they make."""

from __future__ import annotations

from textwrap import dedent

from intercept.errors import PolicyError
from intercept.limits import Refused
from intercept.limits.memory import MemoryStore
from intercept.policy import Circumstances, Decision, Effect, Kind, PolicySet, ToolCall
from intercept.policy.compile import compile_policy
from intercept.policy.document import parse
from intercept.policy.evaluate import Policy
from intercept.values import Json

NOW = Circumstances(1_800_000_000.0)


def policy_of(text: str, path: str = "policy.yaml") -> Policy:
    """The policy that `text` describes, as if it were the file `path`."""
    document = parse(dedent(text).encode(), path)
    policy, problems = compile_policy(document, path)
    if document.problems or problems:
        raise PolicyError(document.problems + problems)
    return policy


def set_of(*texts: str) -> PolicySet:
    """The policies of several files together."""
    policies = [policy_of(text, f"policy{number}.yaml") for number, text in enumerate(texts)]
    return PolicySet(policies, "+".join(policy.digest for policy in policies))


def decide(policy: Policy | PolicySet, name: str, circumstances: Circumstances = NOW, /, **arguments: Json) -> Decision:
    """What `policy` says about a call of the tool `name`."""
    return policy.evaluate(ToolCall(name, arguments), circumstances)


def allows(policy: Policy | PolicySet, name: str, circumstances: Circumstances = NOW, /, **arguments: Json) -> bool:
    """Whether such a call passes."""
    return decide(policy, name, circumstances, **arguments).effect is Effect.ALLOW


class Clockwork:
    """A policy with a store: calls in virtual time, limits included."""

    def __init__(self, *texts: str) -> None:
        self.policy = set_of(*texts)
        self._store = MemoryStore()

    def call(self, now: float, name: str, /, **arguments: Json) -> float | bool | None:
        """True if the call passes, False if a rule refuses it; else the seconds to wait, None for never."""
        decision = self.policy.evaluate(ToolCall(name, arguments, Kind.TOOL), Circumstances(now))
        if decision.effect is not Effect.ALLOW:
            return False
        answer = self._store.reserve(decision.charges, now)
        return answer.retry_after if isinstance(answer, Refused) else True
