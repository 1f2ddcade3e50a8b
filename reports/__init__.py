"""Report formats: `render(report) -> str`."""
