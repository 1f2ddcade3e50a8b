"""Probes, one module per section of the checklist."""
