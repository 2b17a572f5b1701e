"""How declared trainings are run, resumed and kept."""
