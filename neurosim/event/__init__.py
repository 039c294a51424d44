"""The exact, event-driven mode: no grid, only what is touched is computed."""
