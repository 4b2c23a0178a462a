"""Is a policy wise: findings about what loads and still does not do what its author means.

`engine` runs the rules over one file, `rules` has one module each, `suppression` silences, `report` prints. What rules
look at is in `subject`; what they guess from the names of tools is in `words`; definitions of tools, where they are
known, are in `tools`. To add a rule, see CONTRIBUTING.
"""
