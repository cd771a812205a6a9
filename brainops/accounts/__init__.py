"""Who is calling, for which workspace, and what that caller may do."""
