"""How pages show things: states as pills, durations, instants, JSON. Below the admin, used by its template tags."""
