"""What handlers do: calls followed from them, with their roles, order and surroundings."""
