"""What only the experiments of connectivity training need (Ivan and Florian 2020)."""
