"""What a cluster can have: one module per subsystem, which the folder listing registers.

Each has a dataclass named `Table`, the keys that the subsystem has in homelab.yaml, and COMPONENTS, the files of
metrics/ that come with it. It may have `mistakes(table, site)`, which yields (place below the table, sentence) for what
no single value shows, and REFERS_TO, the tables whose names it looks up for that. A table that names things that must
be recoverable has a property `backup_targets`.
"""
