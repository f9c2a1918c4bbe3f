"""The exact schedule: starts, tabu search, CP-SAT."""
