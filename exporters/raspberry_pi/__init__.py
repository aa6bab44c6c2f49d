"""Heat, power, drives and where things lie, on every node. What the hardware does not tell is absent, never 0.

A collector reads (host.py), parses and gives readings; running.py keeps the latest of each; exposition.py shows them.
"""
