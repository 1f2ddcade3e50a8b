"""What runs: entry points, living and dead code, processes, signals and what they close."""
