"""The script that Redis runs: several buckets in one call, all or none, on Redis' own clock.

A bucket is one number: the instant (microseconds) at which it will be full again. It expires then, so an idle owner
costs no memory. Who wants several tokens at once gets at most an eighth of what is left: near the limit everybody
takes one at a time.
"""

from __future__ import annotations

from brainops.core.ratelimit.redis_server import Script

# KEYS: the processes' set, then the buckets. ARGV: this process ('' = only take), then for each bucket the
# microseconds a token, the burst, and the tokens wanted.
TAKE = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local processes = 0
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], time[1], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (time[1] - 30))
  redis.call('EXPIRE', KEYS[1], 60)
  processes = redis.call('ZCARD', KEYS[1])
end
local full, room = {}, {}
local refused, wait = 0, 0
for i = 2, #KEYS do
  local step, burst = tonumber(ARGV[3 * i - 4]), tonumber(ARGV[3 * i - 3])
  local horizon = now + burst * step
  -- a clock that was set back must not keep a bucket empty for longer than it takes to fill
  full[i] = math.min(math.max(tonumber(redis.call('GET', KEYS[i]) or now), now), horizon)
  room[i] = math.floor((horizon - full[i]) / step + 0.000001)
  if room[i] < 1 and full[i] + step - horizon > wait then
    refused, wait = i - 1, full[i] + step - horizon
  end
end
local answer = {processes, refused, math.ceil(wait)}
for i = 2, #KEYS do
  local step, tokens = tonumber(ARGV[3 * i - 4]), 0
  if refused == 0 then
    tokens = math.min(tonumber(ARGV[3 * i - 2]), math.max(1, math.floor(room[i] / 8)))
    full[i] = full[i] + tokens * step
    redis.call('SET', KEYS[i], string.format('%.3f', full[i]), 'PX', math.ceil((full[i] - now) / 1000) + 1)
  end
  answer[#answer + 1] = tokens
  answer[#answer + 1] = room[i] - tokens
  answer[#answer + 1] = math.ceil(full[i] - now)
end
return answer
""")
