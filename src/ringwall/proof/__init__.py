"""All requests at once: claims, the symbolic request, the solver, witnesses, comparison of policies."""
