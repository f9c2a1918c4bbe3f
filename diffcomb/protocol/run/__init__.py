"""Running a protocol: plan, cells over processes, going on after a stop."""
