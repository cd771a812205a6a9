"""Rate limits, exact over all processes: buckets in Redis, shares of them in memory, local ones while Redis is away."""
