"""What nobody else measures: programs of their own, which import nothing else of this repository."""
