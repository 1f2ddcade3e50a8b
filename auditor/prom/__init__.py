"""Prometheus: rules, dashboards, live series."""
