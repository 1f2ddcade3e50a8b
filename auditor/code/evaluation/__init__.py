"""What expressions may be: an abstract evaluator over the facts, across files and calls."""
