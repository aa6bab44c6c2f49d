"""What the homelab is: the inventory, and the contract that says what each component exposes."""
