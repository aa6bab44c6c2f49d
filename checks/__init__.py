"""The proofs: every rule and every panel is shown to do what it says."""
