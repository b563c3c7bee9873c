"""The teacher's side: what a class handed in, results, what it misunderstands, marks for others."""
