"""The route "batched torch": dense linear algebra, on the device of the targets."""
