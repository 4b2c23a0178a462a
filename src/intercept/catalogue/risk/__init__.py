"""How dangerous a tool is, and which words of its definition say so.

`classify` is a pure function of one definition. It reads English words, not lists of known tools: `lexicon` has the
verbs, `senses` what they mean with which objects, `language` finds them in names and descriptions, `arguments` looks
into the input schema and `choices` for the argument that chooses an action there, `tool` brings these together,
`raising` knows what counts beside verbs, `gravity` weighs the result, `overrides` has the few exceptions. A person has
the last word: the verdict names its evidence so that a wrong one is seen at once.
"""

from .classify import classify
from .model import FLAGS, SEVERITY, Action, Category, Choice, Risk, Verdict

__all__ = ["FLAGS", "SEVERITY", "Action", "Category", "Choice", "Risk", "Verdict", "classify"]
