"""Real boards in a verdict: who may use which bench, what is measured there, and the verdict again."""
