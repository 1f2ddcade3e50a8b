"""Live Redis: connect, read what is allowed, snapshot."""
