"""The repository as files: what is read, which package governs it, who imports whom, what a file exports."""
