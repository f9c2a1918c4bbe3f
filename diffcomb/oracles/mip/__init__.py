"""Mixed-integer backends behind one driver."""
