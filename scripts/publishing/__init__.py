"""From finished runs to tables, curves and pictures."""
