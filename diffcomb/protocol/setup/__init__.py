"""What a run is made of: settings, instances, methods, cells, and where finished cells are kept."""
