"""The cheapest colouring with K colours."""
