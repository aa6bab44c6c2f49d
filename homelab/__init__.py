"""What the homelab is: the inventory of homelab.yaml, and the contract of metrics/."""
