"""Asking a person about a call: through the client, or an operator who looks at the state store (POLICY section 7).

What a person is shown is in `question`, whichever way it goes. An approval never carries a call to the upstream: it is
a reason to judge the call once more, and everything else is looked at again then.
"""
