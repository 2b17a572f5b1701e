"""What only the experiments of LaPerm need (Qiu and Suda 2020)."""
