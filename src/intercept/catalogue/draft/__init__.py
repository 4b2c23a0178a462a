"""Policies drafted from what a server says of its tools, and drafts brought up to date.

`entries` decides what a policy says of a tool, `document` writes the policy with its tests, `seen` remembers what the
server offered, and `update` adds what is new to a file that a person has edited, and touches nothing else.
"""
