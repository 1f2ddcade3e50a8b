"""Source bytes to plain facts: tree-sitter's tree and one walk over it."""
