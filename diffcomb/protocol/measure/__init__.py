"""The measurements: one file a group of a report."""
