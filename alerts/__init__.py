"""What can go wrong: one module per subsystem; files with an underscore are the machinery.

A module has a docstring (the question it answers), upper-case measures (PromQL that can be pasted into Prometheus),
a frozen dataclass `Limits` and a generator `rules(limits, site)`.
"""
