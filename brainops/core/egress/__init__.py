"""The one outbound door: every byte that leaves BrainOps for a foreign host passes here (docs/adr)."""
