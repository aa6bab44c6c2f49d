"""What it looks like: one module per subsystem, named as its alerts are; files with `_` are machinery.

A module is a docstring, which becomes the dashboard's description, and `dashboard(site) -> Board`.
"""
