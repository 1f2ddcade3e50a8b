"""Metrics and boards that code publishes: declared, fed, labelled and served."""
