"""CellProfiler modules; give this folder to CellProfiler as its plugins directory."""
