"""Rate limits, exact over all processes: buckets in Redis, shares of them in memory, local buckets when Redis is away."""
